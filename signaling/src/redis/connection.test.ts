import { createLog } from '@parley/service'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { RedisConnection } from './connection.ts'
import { TestRedis } from './testing.ts'

const log = createLog('test', { level: 'silent' })
let server: TestRedis
const open: RedisConnection[] = []

function connect(url = server.url, observer = { up: vi.fn(), failed: vi.fn() }): RedisConnection {
  const redis = new RedisConnection({ url: new URL(url), log, observer })
  open.push(redis)
  return redis
}

function until(redis: RedisConnection, wanted: boolean): Promise<void> {
  return vi.waitUntil(() => redis.isUp === wanted, { timeout: 15_000 }).then(() => undefined)
}

beforeAll(async () => {
  server = await TestRedis.start()
})

afterEach(() => {
  for (const redis of open.splice(0)) redis.close()
})

afterAll(() => server.kill())

describe('the connection to Redis', () => {
  test('works once it is up, and says so', async () => {
    const redis = connect()
    expect(redis.isUp).toBe(false)
    expect(redis.trouble).toContain('127.0.0.1')
    await until(redis, true)
    expect(await redis.run((r) => r.set('parley:test', 'x'))).toEqual({ ok: true, data: 'OK' })
  })

  test('a Redis that is not there fails commands at once, and never a start', async () => {
    const observer = { up: vi.fn(), failed: vi.fn() }
    const redis = connect('redis://127.0.0.1:1', observer)
    const answer = await redis.run((r) => r.get('parley:test'))
    expect(answer).toMatchObject({
      ok: false,
      error: { code: 'store-unavailable', retryable: true },
    })
    expect(observer.failed).toHaveBeenCalledOnce()
  })

  test('subscriptions and commands come back after a Redis that was killed', async () => {
    const [ear, mouth] = [connect(), connect()]
    const heard: string[] = []
    await ear.subscribe('parley:test-channel', (message) => heard.push(message))
    await Promise.all([until(ear, true), until(mouth, true)])
    await mouth.run((r) => r.publish('parley:test-channel', 'before'))
    await vi.waitUntil(() => heard.includes('before'), { timeout: 15_000 })

    await server.kill()
    await Promise.all([until(ear, false), until(mouth, false)])
    expect(await mouth.run((r) => r.ping())).toMatchObject({ ok: false })
    await server.start()
    await Promise.all([until(ear, true), until(mouth, true)])
    await mouth.run((r) => r.publish('parley:test-channel', 'after'))
    await vi.waitUntil(() => heard.includes('after'), { timeout: 15_000 })
    expect(heard).toEqual(['before', 'after'])
  })

  test('a Redis that hangs is noticed without a command, and nothing waits for it', async () => {
    const redis = connect()
    await until(redis, true)
    server.hang()
    try {
      const answer = await redis.run((r) => r.incr('parley:counted'))
      expect(answer).toMatchObject({ ok: false })
      await until(redis, false)
      expect(await redis.run((r) => r.ping())).toMatchObject({ ok: false })
    } finally {
      server.goOn()
    }
    await until(redis, true)
    expect(await redis.run((r) => r.ping())).toEqual({ ok: true, data: 'PONG' })
  })
})
