import { describe, expect, test } from 'vitest'
import { codeOf, endpoint, relayedAddressOf } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import type { VirtualClient } from '../testing-network.ts'
import type { Message } from '../wire/index.ts'
import {
  ADDITIONAL_ADDRESS_FAMILY,
  RESERVATION_TOKEN,
  XOR_RELAYED_ADDRESS,
  additionalAddressFamily,
  attributeValue,
  evenPort,
  lifetime,
  methods,
  readXorAddress,
  requestedAddressFamily,
  requestedTransport,
  reservationToken,
  ADDRESS_ERROR_CODE,
  readAddressErrorCode,
  transactionIdOf,
} from '../wire/index.ts'

const relayPorts = { first: 50_001, last: 50_020 }
const pair = [evenPort({ reserveNext: true })]

describe('EVEN-PORT and RESERVATION-TOKEN', () => {
  test('a pair is an even port, and the next one for whoever brings the token, once', () => {
    const turn = new VirtualTurn()
    const first = turn.client(1).converse((d) => d.allocate(pair))
    const { port } = relayedAddressOf(first)
    expect(port % 2).toBe(0)
    const redeem = (client: VirtualClient) =>
      client.converse((d) => d.allocate([reservationToken(tokenOf(first))]))
    expect(relayedAddressOf(redeem(turn.client(2))).port).toBe(port + 1)
    expect(codeOf(redeem(turn.client(3)))).toBe(508)
  })

  test('the next port waits 30 seconds, and longer than its sibling', () => {
    const turn = new VirtualTurn()
    const client = turn.client(1)
    const answer = client.converse((d) => d.allocate(pair))
    client.ask((d) => d.request(methods.refresh, [lifetime(0)]))
    turn.pass({ seconds: 29 })
    const [early, late] = [turn.client(2), turn.client(3)]
    const redeem = [reservationToken(tokenOf(answer))]
    expect(early.ask((d) => d.allocate(redeem))).toBe(0)
    const another = late.converse((d) => d.allocate(pair))
    turn.pass({ seconds: 30 })
    const tooLate = [reservationToken(tokenOf(another))]
    expect(turn.client(4).ask((d) => d.allocate(tooLate))).toBe(508)
  })

  test('an even port without reservation carries no token', () => {
    const client = new VirtualTurn().client(1)
    const answer = client.converse((d) => d.allocate([evenPort({ reserveNext: false })]))
    expect(attributeValue(answer, RESERVATION_TOKEN)).toBeUndefined()
  })

  test('[S13] a thousand even ports, with and without reservation, leak none', () => {
    const turn = new VirtualTurn({ relayPorts })
    const client = turn.client(1)
    for (let round = 0; round < 1_000; round++) {
      const reserveNext = round % 3 === 0
      expect(client.ask((d) => d.allocate([evenPort({ reserveNext })]))).toBe(0)
      expect(client.ask((d) => d.request(methods.refresh, [lifetime(0)]))).toBe(0)
      if (reserveNext) turn.pass({ seconds: 30 })
    }
    turn.pass({ seconds: 30 })
    expect(fill(turn)).toBe(20)
  })

  test('a pair moves as one when its even port is taken by another process', () => {
    const turn = new VirtualTurn({ relayPorts: { first: 50_000, last: 50_003 } })
    turn.portsInUse.add(50_000)
    const answer = turn.client(1).converse((d) => d.allocate(pair))
    expect(relayedAddressOf(answer).port).toBe(50_002)
    turn.portsInUse.clear()
    expect(fill(turn)).toBe(2)
  })

  test('a pair that finds no two ports is refused and keeps none', () => {
    const turn = new VirtualTurn({ relayPorts: { first: 50_001, last: 50_002 } })
    expect(turn.client(1).ask((d) => d.allocate(pair))).toBe(508)
    expect(fill(turn)).toBe(2)
  })

  test('a port that waits for its token is no peer', () => {
    const turn = new VirtualTurn()
    const client = turn.client(1)
    const { port } = relayedAddressOf(client.converse((d) => d.allocate(pair)))
    const reserved = endpoint('203.0.113.1', port + 1)
    client.ask((d) => d.createPermission([reserved]))
    client.send(client.dialogue.send(reserved, Buffer.from('x')))
    expect(turn.server.counters.drops('peerRefused')).toBe(1)
  })
})

describe('a dual allocation', () => {
  const dual = [additionalAddressFamily()]

  test('has a relay of each family, for one place in the quota', () => {
    const turn = new VirtualTurn({ withIpv6: true, limits: { allocationsPerUser: 1 } })
    const answer = turn.client(1).converse((d) => d.allocate(dual))
    expect(relaysOf(answer).map(({ host }) => host)).toEqual([
      '203.0.113.1',
      '2001:db8:0:0:0:0:0:1',
    ])
    expect(turn.server.allocationCount).toBe(1)
  })

  test('lacks a family with a word of why', () => {
    const turn = new VirtualTurn()
    const answer = turn.client(1).converse((d) => d.allocate(dual))
    expect(relaysOf(answer)).toHaveLength(1)
    expect(missingOf(answer)).toMatchObject({ family: 6, code: 440 })
  })

  test('lacks a family whose ports are used up', () => {
    const turn = new VirtualTurn({ withIpv6: true, relayPorts: { first: 50_000, last: 50_001 } })
    for (const port of [1, 2]) {
      expect(turn.client(port).ask((d) => d.allocate([requestedAddressFamily(6)]))).toBe(0)
    }
    const answer = turn.client(3).converse((d) => d.allocate(dual))
    expect(relaysOf(answer)).toHaveLength(1)
    expect(missingOf(answer)).toMatchObject({ family: 6, code: 508 })
  })

  test('relays to peers of both, each out of its own relay', () => {
    const turn = new VirtualTurn({ withIpv6: true })
    const client = turn.client(1)
    const [v4, v6] = relaysOf(client.converse((d) => d.allocate(dual)))
    const peers = [endpoint('9.9.9.9', 5), endpoint('2620:fe::9', 6)] as const
    expect(client.ask((d) => d.createPermission(peers))).toBe(0)
    for (const peer of peers) client.send(client.dialogue.send(peer, Buffer.from('x')))
    expect(turn.sentToPeers.map(({ relayPort }) => relayPort)).toEqual([v4?.port, v6?.port])
    if (v6) turn.peerSends(peers[1], v6, 'back')
    expect(turn.server.counters.packetsToClient).toBe(1)
  })

  test('gives up one family and keeps the other', () => {
    const turn = new VirtualTurn({ withIpv6: true })
    const client = turn.client(1)
    client.converse((d) => d.allocate(dual))
    const [peer4, peer6] = [endpoint('9.9.9.9', 5), endpoint('2620:fe::9', 6)]
    expect(client.ask((d) => d.channelBind(0x4000, peer4))).toBe(0)
    expect(client.ask((d) => d.channelBind(0x4001, peer6))).toBe(0)
    const drop6 = [requestedAddressFamily(6), lifetime(0)]
    expect(client.ask((d) => d.request(methods.refresh, drop6))).toBe(0)
    expect(turn.countOf('closeRelay')).toBe(1)
    expect(client.ask((d) => d.createPermission([peer6]))).toBe(443)
    expect(client.ask((d) => d.request(methods.refresh, drop6))).toBe(443)
    client.sendOnChannel(0x4001, 'lost')
    client.sendOnChannel(0x4000, 'goes')
    expect(turn.sentToPeers.map(({ payload }) => payload)).toEqual(['goes'])
    expect(client.ask((d) => d.request(methods.refresh, [lifetime(0)]))).toBe(0)
    expect(turn.server.allocationCount).toBe(0)
  })

  test('lets each family run out by itself', () => {
    const turn = new VirtualTurn({ withIpv6: true })
    const client = turn.client(1)
    client.converse((d) => d.allocate(dual))
    turn.pass({ seconds: 500 })
    expect(client.ask((d) => d.request(methods.refresh, [requestedAddressFamily(4)]))).toBe(0)
    turn.pass({ seconds: 101 })
    expect(turn.server.sessions()[0]?.relays).toHaveLength(1)
    turn.pass({ seconds: 500 })
    expect(turn.server.sessions()).toEqual([])
  })

  test.each([
    ['a requested family', [...dual, requestedAddressFamily(4)]],
    ['a pair of ports', [...dual, ...pair]],
    ['a token', [...dual, reservationToken(new Uint8Array(8))]],
    [
      'IPv4 as the additional one',
      [{ type: ADDITIONAL_ADDRESS_FAMILY, value: Uint8Array.of(1, 0, 0, 0) }],
    ],
  ])('does not go with %s', (_name, attributes) => {
    const client = new VirtualTurn({ withIpv6: true }).client(1)
    expect(client.ask((d) => d.allocate(attributes))).toBe(400)
  })
})

describe('a client that names no family', () => {
  test.each([
    ['ipv4', '2620:fe::7', '203.0.113.1'],
    ['client', '2620:fe::7', '2001:db8:0:0:0:0:0:1'],
    ['client', '198.51.100.7', '203.0.113.1'],
  ] as const)('under the policy %s gets from %s a relay on %s', (defaultFamily, host, relayed) => {
    const turn = new VirtualTurn({ withIpv6: true, config: { defaultFamily } })
    expect(turn.client(1, { host }).allocate().host).toBe(relayed)
  })

  test('gets 440 by the RFC, and what there is by the other policy, from a server of IPv6', () => {
    const address = endpoint('2001:db8::1', 0).address
    const only6 = { announced: { 6: address }, bound: { 6: address } }
    const strict = new VirtualTurn({ config: only6 })
    expect(strict.client(1).ask((d) => d.allocate())).toBe(440)
    const kind = new VirtualTurn({ config: { ...only6, defaultFamily: 'client' } })
    expect(kind.client(1).ask((d) => d.allocate())).toBe(0)
  })
})

test('a transport that is not UDP is refused whatever else is asked', () => {
  const client = new VirtualTurn().client(1).getChallenged()
  const attributes = [requestedTransport(132), ...pair]
  expect(client.ask((d) => d.request(methods.allocate, attributes))).toBe(442)
})

function fill(turn: VirtualTurn): number {
  let count = 0
  while (turn.client(10_000 + count).ask((d) => d.allocate()) === 0) count++
  return count
}

function tokenOf(message: Message): Uint8Array {
  const token = attributeValue(message, RESERVATION_TOKEN)
  expect(token).toHaveLength(8)
  return token ?? new Uint8Array(8)
}

function relaysOf(message: Message) {
  return message.attributes
    .filter(({ type }) => type === XOR_RELAYED_ADDRESS)
    .map(({ value }) => readXorAddress(value, transactionIdOf(message)))
    .filter((relay) => relay !== undefined)
}

function missingOf(message: Message) {
  return readAddressErrorCode(attributeValue(message, ADDRESS_ERROR_CODE) ?? new Uint8Array())
}
