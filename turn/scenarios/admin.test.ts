import { Health } from '@parley/service'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TurnHandle } from '../src/index.ts'
import { codeOf } from '../src/testing.ts'
import {
  ALTERNATE_SERVER,
  attributeValue,
  methods,
  readAlternateServer,
} from '../src/wire/index.ts'
import { TurnClient, startTestServer } from './turn-client.ts'

const token = 'a token for operators'

describe.each(['1', '2'])('the admin API of a server with %s workers', (workers) => {
  let server: TurnHandle
  let health: Health
  let client: TurnClient

  beforeEach(async () => {
    health = new Health()
    server = await startTestServer(
      {
        PARLEY_TURN_WORKERS: workers,
        PARLEY_TURN_ADMIN: '127.0.0.1:0',
        PARLEY_TURN_ADMIN_TOKEN: token,
      },
      { health },
    )
    client = await TurnClient.overTcp(server)
  })
  afterEach(async () => {
    client.close()
    await server.close()
  })

  test('is for those with the token', async () => {
    const url = `http://127.0.0.1:${server.adminPort}/sessions`
    for (const authorization of ['', 'Bearer wrong', token]) {
      const response = await fetch(url, { headers: { authorization } })
      expect(response.status).toBe(401)
    }
  })

  test('lists sessions and ends them', async () => {
    const { host, port } = await client.allocate()
    const { body } = await call('GET', '/sessions')
    expect(body).toMatchObject({
      sessions: [{ user: 'alice', transport: 'tcp', relays: [`${host}:${port}`], channels: 0 }],
    })
    expect(await call('GET', '/sessions?user=bob')).toMatchObject({ body: { sessions: [] } })
    const id = String((body as { sessions: { id: string }[] }).sessions[0]?.id)
    expect(await call('DELETE', `/sessions/${id}`)).toEqual({ status: 200, body: { ended: 1 } })
    expect(await client.ask((d) => d.request(methods.refresh))).toBe(437)
    expect((await call('DELETE', `/sessions/${id}`)).status).toBe(404)

    await client.allocate()
    expect(await call('DELETE', '/sessions?user=alice')).toMatchObject({ body: { ended: 1 } })
    expect(await call('GET', '/stats')).toMatchObject({ body: { allocations: 0 } })
  })

  test('drains towards another server, and takes it back', async () => {
    await client.allocate()
    const order = { deadlineSeconds: 600, alternates: ['192.0.2.9:3478'] }
    expect(await call('POST', '/drain', order)).toMatchObject({
      status: 200,
      body: { draining: true, allocations: 1 },
    })
    expect(health.isReady()).toBe(false)
    const late = await TurnClient.overTcp(server, 'bob')
    const answer = await late.converse((d) => d.allocate())
    expect(codeOf(answer)).toBe(300)
    const value = attributeValue(answer, ALTERNATE_SERVER) ?? new Uint8Array()
    expect(readAlternateServer(value)).toMatchObject({ host: '192.0.2.9', port: 3478 })
    expect(await client.ask((d) => d.request(methods.refresh))).toBe(0)

    expect(await call('DELETE', '/drain')).toMatchObject({ body: { draining: false } })
    expect(await late.ask((d) => d.allocate())).toBe(0)
    expect(health.isReady()).toBe(true)
    late.close()
  })

  test('ends what is left when a drain is over', async () => {
    await client.allocate()
    await call('POST', '/drain', { deadlineSeconds: 0 })
    await expect.poll(() => server.stats().allocations).toBe(0)
    expect(await call('GET', '/drain')).toMatchObject({ body: { draining: true, allocations: 0 } })
  })

  test.each([
    ['POST', '/drain', { deadlineSeconds: -1 }, 400],
    ['POST', '/drain', { deadlineSeconds: 'soon' }, 400],
    ['POST', '/drain', { alternates: 'one' }, 400],
    ['POST', '/drain', { alternates: ['turn.example.org:3478'] }, 400],
    ['POST', '/drain', { alternates: ['192.0.2.1:1', '192.0.2.2:1'] }, 400],
    ['POST', '/drain', { padding: 'x'.repeat(20_000) }, 400],
    ['DELETE', '/sessions', undefined, 400],
    ['DELETE', '/sessions/all', undefined, 400],
    ['DELETE', '/sessions/9-1', undefined, 404],
    ['GET', '/', undefined, 404],
  ] as const)('refuses %s %s %j', async (method, path, body, status) => {
    expect((await call(method, path, body)).status).toBe(status)
    expect(server.drainStatus).toBeUndefined()
  })

  async function call(method: string, path: string, body?: unknown) {
    const response = await fetch(`http://127.0.0.1:${server.adminPort}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: await response.json() }
  }
})

test('an admin address without a token does not start', async () => {
  const start = async () => startTestServer({ PARLEY_TURN_ADMIN: '127.0.0.1:0' })
  await expect(start()).rejects.toThrow(/PARLEY_TURN_ADMIN_TOKEN/)
})
