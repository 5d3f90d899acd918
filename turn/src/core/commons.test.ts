import { describe, expect, test } from 'vitest'
import { endpoint, relayedAddressOf } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import type { VirtualTurnOptions } from '../testing-network.ts'
import {
  RESERVATION_TOKEN,
  attributeValue,
  evenPort,
  lifetime,
  methods,
  reservationToken,
} from '../wire/index.ts'
import { Commons, newCommonsMemory } from './commons.ts'
import { defaultLimits } from './server-state.ts'

const relayPorts = { first: 50_000, last: 50_019 }
const peer = endpoint('9.9.9.9', 5_000)

describe('workers that share memory', () => {
  test('[S12] a user’s quota holds across them, and is freed once', () => {
    const [one, two] = workers({ limits: { allocationsPerUser: 3 } })
    const clients = [one.client(1), two.client(2), one.client(3), two.client(4)] as const
    const codes = clients.map((client) => client.ask((d) => d.allocate()))
    expect(codes).toEqual([0, 0, 0, 486])
    const [first] = clients
    expect(first.ask((d) => d.request(methods.refresh, [lifetime(0)]))).toBe(0)
    expect(first.ask((d) => d.request(methods.refresh, [lifetime(0)]))).toBe(437)
    expect(two.client(5).ask((d) => d.allocate())).toBe(0)
    expect(one.client(6).ask((d) => d.allocate())).toBe(486)
    expect(one.client(7, { user: 'bob' }).ask((d) => d.allocate())).toBe(0)
  })

  test('so does everybody’s', () => {
    const [one, two] = workers({ limits: { allocations: 2 } })
    const codes = [one.client(1), two.client(2), one.client(3)].map((client) =>
      client.ask((d) => d.allocate()),
    )
    expect(codes).toEqual([0, 0, 508])
  })

  test('never give one port twice', () => {
    const [one, two] = workers()
    const ports = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).client(index + 1).allocate(),
    ).map(({ port }) => port)
    expect(new Set(ports).size).toBe(20)
    expect(one.client(99).ask((d) => d.allocate())).toBe(508)
  })

  test('take each other’s tokens, once', () => {
    const [one, two] = workers()
    const answer = one.client(1).converse((d) => d.allocate([evenPort({ reserveNext: true })]))
    const token = attributeValue(answer, RESERVATION_TOKEN) ?? new Uint8Array(8)
    const redeemed = two.client(2).converse((d) => d.allocate([reservationToken(token)]))
    expect(relayedAddressOf(redeemed).port).toBe(relayedAddressOf(answer).port + 1)
    expect(one.client(3).ask((d) => d.allocate([reservationToken(token)]))).toBe(508)
    one.pass({ seconds: 31 })
    two.pass({ seconds: 31 })
    expect(two.server.allocationCount).toBe(1)
  })

  test('relay to each other through their sockets, as the announced address', () => {
    const bound = endpoint('10.0.0.9', 0).address
    const [one, two] = workers({ config: { bound: { 4: bound } } })
    const [alice, bob] = [one.client(1), two.client(2, { user: 'bob' })]
    const [from, to] = [alice.allocate(), bob.allocate()]
    expect(alice.ask((d) => d.createPermission([to]))).toBe(0)
    expect(bob.ask((d) => d.channelBind(0x4000, from))).toBe(0)
    alice.send(alice.dialogue.send(to, Buffer.from('hello')))
    expect(one.sentToPeers).toEqual([
      { relayPort: from.port, peer: `10.0.0.9:${to.port}`, payload: 'hello' },
    ])
    two.peerSends(endpoint('10.0.0.9', from.port), to, 'hello')
    expect(bob.inbox.at(-1)?.toString()).toContain('hello')
    // The same address on a port that no relay has is somebody else.
    const unused = from.port === 50_019 || to.port === 50_019 ? 50_018 : 50_019
    two.peerSends(endpoint('10.0.0.9', unused === to.port ? 50_017 : unused), to, 'spoofed')
    expect(two.server.counters.drops('noPermission')).toBe(1)
  })

  test('share the replies that one address may get', () => {
    const [one, two] = workers({ limits: { strangerRepliesPerSecond: 10 } })
    let replies = 0
    for (let port = 1; port <= 20; port++) {
      const client = (port % 2 === 0 ? one : two).client(port)
      replies += client.send(client.dialogue.allocate()).length
    }
    expect(replies).toBe(10)
  })

  test('leave nothing behind when they die', () => {
    const limits = { allocationsPerUser: 20 }
    const memory = newCommonsMemory({ workers: 2, ports: relayPorts, seed: 7 })
    const dead = new VirtualTurn({ relayPorts, memory, worker: 1, limits })
    for (let port = 1; port <= 9; port++) dead.client(port).allocate()
    dead.client(10).converse((d) => d.allocate([evenPort({ reserveNext: true })]))
    new Commons(memory, 1, { ...defaultLimits, ...limits }).forget()
    const heir = new VirtualTurn({ relayPorts, memory, worker: 0, limits })
    for (let port = 1; port <= 20; port++) heir.client(port).allocate()
    expect(heir.client(21).ask((d) => d.allocate())).toBe(486)
  })
})

describe('bandwidth', () => {
  test.each([
    ['a user', { userBytesPerSecond: 1_000 }],
    ['everybody', { totalBytesPerSecond: 1_000 }],
  ])('of %s is bounded each second, across workers and directions', (_whose, limits) => {
    const [one, two] = workers({ limits })
    const clients = [one.client(1), two.client(2)]
    const relayed = clients.map((client) => client.allocate())
    for (const client of clients) client.ask((d) => d.channelBind(0x4000, peer))
    const flood = () => {
      for (let round = 0; round < 10; round++) {
        for (const client of clients) client.sendOnChannel(0x4000, 'x'.repeat(100))
      }
    }
    flood()
    const sent = () => one.sentToPeers.length + two.sentToPeers.length
    expect(sent()).toBe(10)
    const to = relayed[0]
    if (to) one.peerSends(peer, to, 'y')
    expect(one.server.counters.drops('bandwidth')).toBeGreaterThan(1)
    one.passUnswept({ seconds: 1 })
    two.passUnswept({ seconds: 1 })
    flood()
    expect(sent()).toBe(20)
  })

  test('of one user does not touch another’s', () => {
    const turn = new VirtualTurn({ limits: { userBytesPerSecond: 100 } })
    for (const user of ['alice', 'bob']) {
      const client = turn.client(user.length, { user })
      client.allocate()
      client.ask((d) => d.channelBind(0x4000, peer))
      for (let round = 0; round < 3; round++) client.sendOnChannel(0x4000, 'x'.repeat(50))
    }
    expect(turn.sentToPeers).toHaveLength(4)
  })
})

function workers(options: VirtualTurnOptions = {}): readonly [VirtualTurn, VirtualTurn] {
  const memory = newCommonsMemory({ workers: 2, ports: relayPorts, seed: 7 })
  const turnOf = (worker: number) => new VirtualTurn({ relayPorts, memory, worker, ...options })
  return [turnOf(0), turnOf(1)]
}
