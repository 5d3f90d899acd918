import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { AnswerFrame, EventFrame, MissedCall } from '@parley/protocol'
import { createLog } from '@parley/service'
import type { Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { RedisConnection, redisKey } from '../src/redis/connection.ts'
import { TestRedis } from '../src/redis/testing.ts'
import { dial, SECRET, token } from './stage.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const MEDIA = { audio: true, video: false }
const PATIENCE = { timeout: 60_000, interval: 50 }

/** A signaling process that shares the Redis with others. */
class SignalingProcess {
  #child: ChildProcess | undefined
  #url = ''

  get url(): string {
    return this.#url
  }

  async start(redisUrl: string): Promise<void> {
    const child = spawn(process.execPath, ['signaling/src/main.ts'], {
      cwd: ROOT,
      env: {
        ...process.env,
        PARLEY_HOST: '127.0.0.1',
        PARLEY_PORT: '0',
        PARLEY_SECRET: SECRET,
        PARLEY_REDIS_URL: redisUrl,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let output = ''
    const port = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output += chunk.toString()
        const line = output.split('\n').find((one) => one.includes('signaling listens')) ?? ''
        const found = /"port":(\d+)/.exec(line)?.[1]
        if (found !== undefined && output.includes('Redis connected')) resolve(found)
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('exit', () => reject(new Error(`signaling did not start:\n${output}`)))
    })
    this.#url = `http://127.0.0.1:${port}`
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}

/** One device of one user, and the missed calls that it was told of since it connected. */
class Device {
  readonly missed: MissedCall[] = []
  readonly #socket: Socket
  #requests = 0

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async connect(at: SignalingProcess, user: string, device: string): Promise<Device> {
    const socket = dial(at.url, { protocol: 1, token: await token(user), device })
    const one = new Device(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect_error', reject)
      socket.on('event', ({ type, data }: EventFrame) => {
        if (type === 'welcome') resolve()
        // The server's words, as its schema has them.
        if (type === 'mailbox.missed') one.missed.push(...(data as { missed: MissedCall[] }).missed)
      })
    })
    return one
  }

  async ask(type: string, data: unknown): Promise<AnswerFrame> {
    this.#requests += 1
    // What the server answers is an answer frame.
    return (await this.#socket.emitWithAck('request', {
      id: `r${this.#requests}`,
      type,
      data,
    })) as AnswerFrame
  }

  /** Waits for missed calls, and gives the ids of all that have come. */
  async hears(): Promise<readonly string[]> {
    await vi.waitUntil(() => this.missed.length > 0, PATIENCE)
    return this.missed.map(({ call }) => call)
  }

  async acknowledge(): Promise<void> {
    const answer = await this.ask('mailbox.ack', { seq: this.missed.at(-1)?.seq })
    expect(answer).toEqual({ ok: true, data: {} })
  }
}

let redis: TestRedis
let store: RedisConnection
const one = new SignalingProcess()
const other = new SignalingProcess()

beforeAll(async () => {
  redis = await TestRedis.start()
  const log = createLog('test', { level: 'silent' })
  store = new RedisConnection({ url: new URL(redis.url), log })
  await Promise.all([one.start(redis.url), other.start(redis.url)])
})
afterAll(async () => {
  await Promise.all([one.kill(), other.kill()])
  store.close()
  await redis.kill()
})

test('[MISSED-1] a missed call is told to each device once, over a restart of every process', async () => {
  await misses('bob', 'm1')
  const phone = await Device.connect(other, 'bob', 'phone')
  expect(await phone.hears()).toEqual(['m1'])
  await phone.acknowledge()

  await restartAll()
  const laptop = await Device.connect(other, 'bob', 'laptop')
  expect(await laptop.hears()).toEqual(['m1'])
  await laptop.acknowledge()

  await restartAll()
  // Both are there first, so that whatever they are told too much comes before the second call.
  const devices = [
    await Device.connect(one, 'bob', 'phone'),
    await Device.connect(other, 'bob', 'laptop'),
  ]
  const alice = await Device.connect(one, 'alice', 'pc')
  await haveMet(alice)
  await alice.ask('call.start', { call: 'm2', users: ['bob'], media: MEDIA })
  await alice.ask('call.hangup', { call: 'm2' })
  for (const device of devices) expect(await device.hears()).toEqual(['m2'])
}, 240_000)

/** Somebody rings a user who is nowhere. */
async function misses(user: string, call: string): Promise<void> {
  const alice = await Device.connect(one, 'alice', 'pc')
  const rung = await alice.ask('call.start', { call, users: [user], media: MEDIA })
  expect(rung).toMatchObject({ error: { code: 'user-offline' } })
  await vi.waitUntil(async () => {
    const kept = await store.run((r) => r.exists(redisKey('mailbox', user)))
    return kept.ok && kept.data === 1
  }, PATIENCE)
}

/** The processes know of each other's devices. */
async function haveMet(alice: Device): Promise<void> {
  await Device.connect(other, 'witness', 'pc')
  await vi.waitUntil(async () => {
    const answer = await alice.ask('presence.subscribe', { users: ['witness'] })
    return answer.ok && JSON.stringify(answer.data).includes('online')
  }, PATIENCE)
}

async function restartAll(): Promise<void> {
  await Promise.all([one.kill(), other.kill()])
  await Promise.all([one.start(redis.url), other.start(redis.url)])
}
