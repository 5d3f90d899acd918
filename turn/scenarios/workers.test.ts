import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { Metrics } from '@parley/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TurnHandle } from '../src/index.ts'
import { codeOf } from '../src/testing.ts'
import { spawnWorker } from '../src/thread-member.ts'
import {
  RESERVATION_TOKEN,
  attributeValue,
  evenPort,
  methods,
  reservationToken,
} from '../src/wire/index.ts'
import { TurnClient, UdpEnd, startTestServer } from './turn-client.ts'

/** Nobody is so unlucky that all of them land on one of two workers. */
const MANY = 64

const threads: Worker[] = []
let metrics: Metrics
let server: TurnHandle
let clients: TurnClient[]

beforeEach(async () => {
  threads.length = 0
  clients = []
  metrics = new Metrics()
  server = await startTestServer(
    {
      PARLEY_TURN_WORKERS: '2',
      PARLEY_TURN_USER_ALLOCATIONS: '10',
      // Beyond the ports that the system deals to sockets, the test's own among them.
      PARLEY_TURN_PORTS: '61000-65535',
      PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8',
    },
    {
      metrics,
      spawn: kept,
    },
  )
})
afterEach(async () => {
  for (const client of clients) client.close()
  await server.close()
})

test('clients over UDP and TCP spread over the workers, which listen on the same ports', async () => {
  for (const transport of ['udp', 'tcp'] as const) {
    const { one, two } = await clientsOfTwoWorkers(transport)
    expect(one.port).not.toBe(two.port)
  }
})

test('two clients of different workers reach each other through their relays', async () => {
  const { one, two } = await clientsOfTwoWorkers()
  expect(await one.client.ask((d) => d.channelBind(0x4000, two))).toBe(0)
  expect(await two.client.ask((d) => d.createPermission([one]))).toBe(0)
  one.client.send(channelData('over'))
  expect((await two.client.inbox.take()).toString('latin1')).toContain('over')
  expect(server.stats()).toMatchObject({ packetsToPeer: 1, packetsToClient: 1 })
})

test('a token of one worker is good with the other', async () => {
  const first = await connected('carol')
  const answer = await first.converse((d) => d.allocate([evenPort({ reserveNext: true })]))
  const token = attributeValue(answer, RESERVATION_TOKEN) ?? new Uint8Array()
  const [{ worker } = { worker: -1 }] = await server.sessions()
  for (let index = 0; index < MANY; index++) {
    const other = await connected(`user-${index}`)
    await other.allocate()
    const mine = (await server.sessions()).find(({ user }) => user === `user-${index}`)
    if (mine?.worker === worker) continue
    await other.ask((d) => d.request(methods.refresh, [lifetimeZero]))
    const redeemed = await other.converse((d) => d.allocate([reservationToken(token)]))
    expect(codeOf(redeemed)).toBe(0)
    return
  }
  expect.unreachable('every client landed on one worker')
})

test('a quota holds across workers, however many ask at once', async () => {
  const asking = Array.from({ length: 20 }, async () => {
    const client = await connected('alice')
    return client.ask((d) => d.allocate())
  })
  const codes = await Promise.all(asking)
  expect(codes.filter((code) => code === 0)).toHaveLength(10)
  expect(codes.filter((code) => code === 486)).toHaveLength(10)
})

test('a worker that dies takes its own sessions only, and another takes its place', async () => {
  const { one, two } = await clientsOfTwoWorkers()
  const sessions = await server.sessions()
  const dead = sessions.find(({ user }) => user === one.user)?.worker ?? 0
  const lost = sessions.filter(({ worker }) => worker === dead).length
  await threads[dead]?.terminate()
  await expect.poll(() => server.stats().allocations).toBe(sessions.length - lost)
  expect(await two.client.ask((d) => d.request(methods.refresh))).toBe(0)
  await expect.poll(() => threads.length).toBe(3)
  const heir = threads[2]
  if (heir) await once(heir, 'message')
  // Datagrams that went to the dead worker's socket reach its heir's.
  const again = await clientsOfTwoWorkers()
  expect(again.one.port).not.toBe(again.two.port)
})

test('clients of the others keep their worker when one dies, wherever the system sends them', async () => {
  const more = await startTestServer({ PARLEY_TURN_WORKERS: '4' }, { spawn: kept })
  const own = threads.slice(2)
  const clientOf = new Map<string, TurnClient>()
  const workersSeen = () => new Set(sessionsSeen.map(({ worker }) => worker)).size
  let sessionsSeen: Awaited<ReturnType<TurnHandle['sessions']>> = []
  while (workersSeen() < 4 && clientOf.size < 2 * MANY) {
    const user = `user-${clientOf.size}`
    const client = await TurnClient.overUdp(more, user)
    clients.push(client)
    clientOf.set(user, client)
    await client.allocate()
    sessionsSeen = await more.sessions()
  }
  await own[0]?.terminate()
  const survivors = sessionsSeen.filter(({ worker }) => worker !== 0)
  const refreshAll = () =>
    Promise.all(
      survivors.map(async ({ user }) => clientOf.get(user)?.ask((d) => d.request(methods.refresh))),
    )
  await expect.poll(() => more.stats().allocations).toBe(survivors.length)
  expect(new Set(await refreshAll())).toEqual(new Set([0]))
  await expect.poll(() => threads.length).toBe(7)
  const heir = threads[6]
  if (heir) await once(heir, 'message')
  expect(new Set(await refreshAll())).toEqual(new Set([0]))
  await more.close()
})

test('metrics are of all workers together', async () => {
  await clientsOfTwoWorkers()
  const { allocations } = server.stats()
  const { body } = await metrics.text()
  expect(body).toContain(`parley_turn_allocations ${allocations}\n`)
  expect(body).toContain(`parley_turn_responses_total{method="allocate",code="0"} ${allocations}\n`)
})

test('closing ends the threads and frees the ports', async () => {
  const { port = 0 } = server.listeners[0] ?? {}
  await server.close()
  const socket = createSocket('udp4').bind(port, '127.0.0.1')
  await once(socket, 'listening')
  socket.close()
})

test('a port that somebody else has is named, though the workers could share it', async () => {
  const holder = await UdpEnd.open()
  const listen = `udp://127.0.0.1:${holder.endpoint.port}`
  const start = startTestServer({ PARLEY_TURN_LISTEN: listen, PARLEY_TURN_WORKERS: '2' })
  await expect(start).rejects.toThrow(/already in use.*PARLEY_TURN_LISTEN/)
  holder.close()
})

const lifetimeZero = { type: 0x000d, value: new Uint8Array(4) }

/** Starts a thread that tests can end. */
function kept(start: Parameters<typeof spawnWorker>[0]): Worker {
  const thread = spawnWorker(start)
  threads.push(thread)
  return thread
}

async function connected(user: string): Promise<TurnClient> {
  const client = await TurnClient.overUdp(server, user)
  clients.push(client)
  return client
}

/** Two clients with relays, each on a worker of its own. */
async function clientsOfTwoWorkers(transport: 'udp' | 'tcp' = 'udp') {
  const byWorker = new Map<number, Awaited<ReturnType<typeof withRelay>>>()
  for (let index = 0; index < MANY; index++) {
    const made = await withRelay(transport, `two-${index}`)
    const session = (await server.sessions()).find(({ user }) => user === made.user)
    byWorker.set(session?.worker ?? -1, made)
    const [one, two] = [byWorker.get(0), byWorker.get(1)]
    if (one && two) return { one, two }
  }
  throw new Error('every client landed on one worker')
}

async function withRelay(transport: 'udp' | 'tcp', user: string) {
  const isUdp = transport === 'udp'
  const client = await (isUdp ? TurnClient.overUdp(server, user) : TurnClient.overTcp(server, user))
  clients.push(client)
  return { client, user, ...(await client.allocate()) }
}

function channelData(payload: string): Uint8Array {
  const header = Buffer.from([0x40, 0x00, 0, payload.length])
  return Buffer.concat([header, Buffer.from(payload)])
}
