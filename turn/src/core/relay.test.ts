import { describe, expect, test } from 'vitest'
import { endpoint } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import type { VirtualClient } from '../testing-network.ts'
import type { Attribute, Endpoint } from '../wire/index.ts'
import {
  CHANNEL_NUMBER,
  DATA,
  XOR_PEER_ADDRESS,
  attributeValue,
  channelNumber,
  decodeMessage,
  encodeChannelData,
  lifetime,
  methods,
  readUint16,
  readXorAddress,
  transactionIdOf,
} from '../wire/index.ts'

const peer = endpoint('9.9.9.9', 5_000)
const otherPort = endpoint('9.9.9.9', 5_001)
const otherPeer = endpoint('8.8.8.8', 5_000)
const loopback = endpoint('127.0.0.1', 5_000)
const peer6 = endpoint('2606:4700::1111', 5_000)

describe('a permission', () => {
  test('lets a peer in from any port, and nobody else', () => {
    const { turn, client, relayed } = allocated()
    turn.peerSends(peer, relayed, 'too early')
    expect(client.ask((d) => d.createPermission([peer]))).toBe(0)
    turn.peerSends(peer, relayed, 'one')
    turn.peerSends(otherPort, relayed, 'two')
    turn.peerSends(otherPeer, relayed, 'stranger')
    expect(heard(client)).toEqual([
      `${peer.host}:${peer.port} one`,
      `${otherPort.host}:${otherPort.port} two`,
    ])
    expect(turn.server.counters.drops('noPermission')).toBe(2)
  })

  test('[S16] lasts 300 s, is extended by a request and not by traffic', () => {
    const { turn, client, relayed } = allocated()
    client.ask((d) => d.createPermission([peer]))
    turn.passUnswept({ seconds: 200 })
    client.ask((d) => d.createPermission([peer]))
    turn.passUnswept({ seconds: 299 })
    turn.peerSends(peer, relayed, 'at 499')
    client.send(client.dialogue.send(peer, Buffer.from('at 499')))
    turn.passUnswept({ seconds: 2 })
    turn.peerSends(peer, relayed, 'at 501')
    client.send(client.dialogue.send(peer, Buffer.from('at 501')))
    expect(heard(client)).toEqual([`${peer.host}:${peer.port} at 499`])
    expect(turn.sentToPeers.map(({ payload }) => payload)).toEqual(['at 499'])
  })

  test('is not extended by a refresh of the allocation', () => {
    const { turn, client, relayed } = allocated()
    client.ask((d) => d.createPermission([peer]))
    turn.passUnswept({ seconds: 250 })
    client.ask((d) => d.request(methods.refresh))
    turn.passUnswept({ seconds: 51 })
    turn.peerSends(peer, relayed, 'late')
    expect(heard(client)).toEqual([])
  })

  test.each<[string, Endpoint, number]>([
    ['forbidden', loopback, 403],
    ['of the other family', peer6, 443],
  ])('for several peers of which one is %s is granted to none', (_name, bad, code) => {
    const { turn, client, relayed } = allocated()
    expect(client.ask((d) => d.createPermission([peer, bad]))).toBe(code)
    expect(client.ask((d) => d.createPermission([bad, peer]))).toBe(code)
    turn.peerSends(peer, relayed, 'hello')
    expect(heard(client)).toEqual([])
  })

  test('needs a peer, well formed', () => {
    const { client } = allocated()
    expect(client.ask((d) => d.createPermission([]))).toBe(400)
    const malformed: Attribute = { type: XOR_PEER_ADDRESS, value: new Uint8Array(7) }
    expect(client.ask((d) => d.request(methods.createPermission, [malformed]))).toBe(400)
  })

  test('[S14] is one of a bounded number, which come back as they run out', () => {
    const { turn, client } = allocated({ limits: { permissionsPerAllocation: 3 } })
    const peers = [1, 2, 3, 4].map((host) => endpoint(`9.9.9.${host}`, 1))
    expect(client.ask((d) => d.createPermission(peers))).toBe(508)
    expect(client.ask((d) => d.createPermission(peers.slice(0, 3)))).toBe(0)
    expect(client.ask((d) => d.createPermission(peers.slice(0, 3)))).toBe(0)
    expect(client.ask((d) => d.createPermission(peers.slice(3)))).toBe(508)
    turn.passUnswept({ seconds: 300 })
    expect(client.ask((d) => d.createPermission(peers.slice(3)))).toBe(0)
  })

  test('refused by policy is reported by its rule', () => {
    const { turn, client } = allocated()
    client.ask((d) => d.createPermission([loopback]))
    const report = turn.commands.find(({ type }) => type === 'reportRefusal')
    expect(report).toEqual({ type: 'reportRefusal', cause: 'default', rule: '127.0.0.0/8' })
  })
})

describe('a Send indication', () => {
  test('without permission, peer or payload reaches nobody and gets no answer', () => {
    const { turn, client } = allocated()
    expect(client.send(client.dialogue.send(peer, Buffer.from('x')))).toEqual([])
    client.ask((d) => d.createPermission([peer]))
    const bad = [
      client.dialogue.send(endpoint('9.9.9.9', 0), Buffer.from('port 0')),
      client.dialogue.send(peer, Buffer.from('x'), [{ type: 0x7fff, value: new Uint8Array() }]),
      client.dialogue.send(otherPeer, Buffer.from('x')),
      without(client.dialogue.send(peer, Buffer.from('x')), DATA),
      without(client.dialogue.send(peer, Buffer.from('x')), XOR_PEER_ADDRESS),
    ]
    for (const bytes of bad) expect(client.send(bytes)).toEqual([])
    expect(turn.sentToPeers).toEqual([])
  })

  test('may be empty, and goes to the first of several peers', () => {
    const { turn, client } = allocated()
    client.ask((d) => d.createPermission([peer]))
    client.send(client.dialogue.send(peer, new Uint8Array()))
    const second: Attribute = { type: XOR_PEER_ADDRESS, value: new Uint8Array(8) }
    client.send(client.dialogue.send(peer, Buffer.from('first'), [second]))
    expect(turn.sentToPeers.map(({ payload }) => payload)).toEqual(['', 'first'])
  })

  test('before there is an allocation is dropped', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    expect(client.send(client.dialogue.send(peer, Buffer.from('x')))).toEqual([])
    expect(turn.server.counters.drops('noAllocation')).toBe(1)
  })
})

describe('a channel', () => {
  test('carries exactly its length both ways, padded or not', () => {
    const { turn, client, relayed } = allocated()
    expect(client.ask((d) => d.channelBind(0x4000, peer))).toBe(0)
    client.sendOnChannel(0x4000, 'hello')
    client.send(encodeChannelData(0x4000, Buffer.from('hello'), { padded: true }))
    client.sendOnChannel(0x4000, '')
    expect(turn.sentToPeers.map(({ payload }) => payload)).toEqual(['hello', 'hello', ''])
    turn.peerSends(peer, relayed, 'world')
    expect(Buffer.from(client.inbox.at(-1) ?? []).toString('latin1')).toBe('@\0\0\x05world')
    turn.peerSends(otherPort, relayed, 'by indication')
    expect(heard(client)).toEqual([`${otherPort.host}:${otherPort.port} by indication`])
  })

  test('is padded with zeros on a stream', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000, { transport: 'tcp' })
    const relayed = client.allocate()
    client.ask((d) => d.channelBind(0x4000, peer))
    turn.peerSends(peer, relayed, 'hello')
    expect(Buffer.from(client.inbox.at(-1) ?? []).toString('latin1')).toBe('@\0\0\x05hello\0\0\0')
  })

  test.each([0x0000, 0x3fff, 0x5000, 0x7fff, 0xffff])('number %i is refused', (number) => {
    const { client } = allocated()
    expect(client.ask((d) => d.channelBind(number, peer))).toBe(400)
  })

  test('needs number and peer, a port, the right family and policy’s leave', () => {
    const { turn, client, relayed } = allocated()
    expect(client.ask((d) => d.request(methods.channelBind, [channelNumber(0x4000)]))).toBe(400)
    const noNumber: Attribute = { type: CHANNEL_NUMBER, value: new Uint8Array(2) }
    expect(client.ask((d) => d.request(methods.channelBind, [noNumber]))).toBe(400)
    expect(client.ask((d) => d.channelBind(0x4000, endpoint('9.9.9.9', 0)))).toBe(400)
    expect(client.ask((d) => d.channelBind(0x4000, peer6))).toBe(443)
    expect(client.ask((d) => d.channelBind(0x4000, loopback))).toBe(403)
    turn.peerSends(peer, relayed, 'no permission came of it')
    expect(heard(client)).toEqual([])
  })

  test('is one to one with its peer; the old binding stays', () => {
    const { turn, client, relayed } = allocated()
    expect(client.ask((d) => d.channelBind(0x4000, peer))).toBe(0)
    expect(client.ask((d) => d.channelBind(0x4000, otherPeer))).toBe(400)
    expect(client.ask((d) => d.channelBind(0x4001, peer))).toBe(400)
    expect(client.ask((d) => d.channelBind(0x4000, peer))).toBe(0)
    turn.peerSends(otherPeer, relayed, 'not permitted')
    client.sendOnChannel(0x4000, 'x')
    client.sendOnChannel(0x4001, 'y')
    expect(turn.sentToPeers).toMatchObject([{ peer: '9.9.9.9:5000', payload: 'x' }])
    expect(heard(client)).toEqual([])
  })

  test('lasts 600 s; then its number is free for another peer', () => {
    const { turn, client } = allocated()
    client.ask((d) => d.request(methods.refresh, [lifetime(3_600)]))
    client.ask((d) => d.channelBind(0x4000, peer))
    turn.passUnswept({ seconds: 599 })
    client.ask((d) => d.createPermission([peer]))
    client.sendOnChannel(0x4000, 'at 599')
    turn.passUnswept({ seconds: 2 })
    client.sendOnChannel(0x4000, 'at 601')
    expect(turn.sentToPeers.map(({ payload }) => payload)).toEqual(['at 599'])
    expect(client.ask((d) => d.channelBind(0x4000, otherPeer))).toBe(0)
  })

  test('whose permission has run out carries nothing either way', () => {
    const { turn, client, relayed } = allocated()
    client.ask((d) => d.channelBind(0x4000, peer))
    turn.passUnswept({ seconds: 301 })
    client.sendOnChannel(0x4000, 'x')
    turn.peerSends(peer, relayed, 'y')
    expect(turn.sentToPeers).toEqual([])
    expect(heard(client)).toEqual([])
    client.ask((d) => d.channelBind(0x4000, peer))
    client.sendOnChannel(0x4000, 'again')
    expect(turn.sentToPeers).toHaveLength(1)
  })

  test('[S14] is one of a bounded number', () => {
    const { client } = allocated({ limits: { channelsPerAllocation: 2 } })
    const bind = (index: number) =>
      client.ask((d) => d.channelBind(0x4000 + index, endpoint('9.9.9.9', 5_000 + index)))
    expect([0, 1, 2].map(bind)).toEqual([0, 0, 508])
  })

  test('[S21] that lies about its length, or was never bound, is dropped', () => {
    const { turn, client } = allocated()
    client.ask((d) => d.channelBind(0x4000, peer))
    client.send(Buffer.from('4000ffff00', 'hex'))
    client.send(Buffer.from('400000', 'hex'))
    client.sendOnChannel(0x4fff, 'unbound')
    expect(turn.sentToPeers).toEqual([])
  })
})

test('an allocation that has expired relays nothing, swept or not', () => {
  const { turn, client, relayed } = allocated()
  client.ask((d) => d.channelBind(0x4000, peer))
  turn.passUnswept({ seconds: 250 })
  client.ask((d) => d.channelBind(0x4000, peer))
  turn.passUnswept({ seconds: 250 })
  client.ask((d) => d.channelBind(0x4000, peer))
  client.sendOnChannel(0x4000, 'data does not extend it')
  turn.passUnswept({ seconds: 100 })
  turn.peerSends(peer, relayed, 'late')
  client.sendOnChannel(0x4000, 'late')
  expect(turn.sentToPeers).toHaveLength(1)
  expect(heard(client)).toEqual([])
  expect(turn.server.allocationCount).toBe(0)
})

describe('relay to relay on this server', () => {
  test('works although the announced address is not public', () => {
    const { turn, client: alice, relayed: ofAlice } = allocated()
    const bob = turn.client(40_001, { user: 'bob' })
    const ofBob = bob.allocate()
    expect(alice.ask((d) => d.createPermission([ofBob]))).toBe(0)
    alice.send(alice.dialogue.send(ofBob, Buffer.from('no permission there')))
    expect(bob.ask((d) => d.channelBind(0x4000, ofAlice))).toBe(0)
    alice.send(alice.dialogue.send(ofBob, Buffer.from('hello')))
    bob.sendOnChannel(0x4000, 'hi')
    expect(Buffer.from(bob.inbox.at(-1) ?? []).toString('latin1')).toBe('@\0\0\x05hello')
    expect(heard(alice)).toEqual([`${ofBob.host}:${ofBob.port} hi`])
    expect(turn.sentToPeers).toEqual([])
  })

  test('[S24] a relay’s own address reaches its own client, once', () => {
    const { turn, client, relayed } = allocated()
    client.ask((d) => d.channelBind(0x4000, relayed))
    client.sendOnChannel(0x4000, 'echo')
    expect(Buffer.from(client.inbox.at(-1) ?? []).toString('latin1')).toBe('@\0\0\x04echo')
    expect(turn.sentToPeers).toEqual([])
  })

  test('[S24] does not open other ports of this server, least of all its listeners', () => {
    const { turn, client, relayed } = allocated()
    const at = (port: number) => endpoint(relayed.host, port)
    client.ask((d) => d.createPermission([relayed]))
    for (const port of [22, 3_478, relayed.port === 50_000 ? 50_001 : 50_000]) {
      client.send(client.dialogue.send(at(port), Buffer.from('x')))
    }
    expect(turn.sentToPeers).toEqual([])
    expect(client.ask((d) => d.channelBind(0x4000, at(22)))).toBe(403)
    expect(client.ask((d) => d.channelBind(0x4000, at(3_478)))).toBe(403)
  })
})

function allocated(options: ConstructorParameters<typeof VirtualTurn>[0] = {}) {
  const turn = new VirtualTurn(options)
  const client = turn.client(40_000)
  return { turn, client, relayed: client.allocate() }
}

/** What Data indications brought, as `host:port payload`. */
function heard(client: VirtualClient): string[] {
  return client.inbox.flatMap((bytes) => {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok || decoded.message.method !== methods.data) return []
    const { message } = decoded
    const from = readXorAddress(
      attributeValue(message, XOR_PEER_ADDRESS) ?? new Uint8Array(),
      transactionIdOf(message),
    )
    const payload = Buffer.from(attributeValue(message, DATA) ?? []).toString()
    return [`${from?.host}:${from?.port} ${payload}`]
  })
}

/** The message with an attribute's type made one that may be ignored. */
function without(message: Uint8Array, type: number): Uint8Array {
  const bytes = Buffer.from(message)
  for (let offset = 20; offset < bytes.length;) {
    const length = readUint16(bytes, offset + 2)
    if (readUint16(bytes, offset) === type) bytes.writeUInt16BE(0xc0fe, offset)
    offset += 4 + ((length + 3) & ~3)
  }
  return bytes
}
