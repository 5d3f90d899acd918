import { describe, expect, test } from 'vitest'
import { codeOf, endpoint, mustDecode, relayedAddressOf } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import type { Attribute } from '../wire/index.ts'
import {
  LIFETIME,
  REALM,
  NONCE,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  RESERVATION_TOKEN,
  UNKNOWN_ATTRIBUTES,
  USERNAME,
  XOR_MAPPED_ADDRESS,
  attributeValue,
  classes,
  credentialText,
  encodeMessage,
  evenPort,
  isIntact,
  lifetime,
  methods,
  readLifetime,
  readUnknownAttributes,
  readXorAddress,
  requestedAddressFamily,
  requestedTransport,
  transactionIdOf,
  writeUint16,
} from '../wire/index.ts'

const peer = endpoint('9.9.9.9', 5_000)

describe('Binding', () => {
  test('answers with the sender’s address, in 32 bytes, and keeps nothing', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    const [answer = new Uint8Array()] = client.send(client.dialogue.request(methods.binding))
    const message = mustDecode(answer)
    const value = attributeValue(message, XOR_MAPPED_ADDRESS) ?? new Uint8Array()
    expect(readXorAddress(value, transactionIdOf(message))).toEqual(client.endpoint)
    expect(answer.length).toBe(32)
    expect(turn.server.datagramClient(0, client.endpoint.address, 40_000)).toBeUndefined()
  })

  test('refuses what it must understand, ignores what it may', () => {
    const client = new VirtualTurn().client(40_000)
    const required = [attribute(0x7fff, 4), attribute(0x0003, 4), attribute(0x7fff, 4)]
    const refused = client.converse((d) => d.request(methods.binding, required))
    expect(codeOf(refused)).toBe(420)
    const listed = attributeValue(refused, UNKNOWN_ATTRIBUTES) ?? new Uint8Array()
    expect(readUnknownAttributes(listed)).toEqual([0x7fff, 0x0003])
    expect(client.ask((d) => d.request(methods.binding, [attribute(0xffff, 4)]))).toBe(0)
  })

  test('is silent on indications, responses, unknown methods and other protocols', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    const transactionId = new Uint8Array(12)
    for (const messageClass of [classes.indication, classes.success, classes.error]) {
      const parts = { method: methods.binding, messageClass, transactionId, attributes: [] }
      expect(client.send(encodeMessage(parts))).toEqual([])
    }
    expect(client.send(client.dialogue.request(0x0fe))).toEqual([])
    for (const junk of ['', 'x', 'GET / HTTP/1.1\r\n\r\n', '\0'.repeat(40), '\xff'.repeat(99)]) {
      expect(client.send(Buffer.from(junk, 'latin1'))).toEqual([])
    }
    expect(turn.server.counters.drops('unexpectedMessage')).toBe(4)
  })
})

describe('authentication', () => {
  test('a stranger gets a small challenge, without signature or words', () => {
    const client = new VirtualTurn().client(40_000)
    const [answer = new Uint8Array()] = client.send(client.dialogue.allocate())
    const message = mustDecode(answer)
    expect(codeOf(message)).toBe(401)
    expect(attributeValue(message, REALM)).toBeDefined()
    expect(attributeValue(message, NONCE)).toBeDefined()
    expect(message.integrityOffset).toBeUndefined()
    expect(answer.length).toBe(88)
  })

  test('a signed request that lacks username, realm or nonce is malformed', () => {
    const client = new VirtualTurn().client(40_000)
    client.send(client.dialogue.allocate())
    const signed = encodeMessage({
      method: methods.allocate,
      messageClass: classes.request,
      transactionId: new Uint8Array(12),
      attributes: [requestedTransport(17)],
      integrityKey: client.dialogue.key,
    })
    const [answer = new Uint8Array()] = client.send(signed)
    expect(codeOf(mustDecode(answer))).toBe(400)
    expect(attributeValue(mustDecode(answer), NONCE)).toBeUndefined()
  })

  test('a wrong secret, an unknown kind of user and an expired one get the same answer', () => {
    const turn = new VirtualTurn()
    const wrong = turn.client(40_000, { secret: 'another secret' })
    const expired = turn.client(40_001, { lifetimeSeconds: 0 })
    const answers = [wrong, expired].map((client) => client.converse((d) => d.allocate()))
    expect(answers.map(codeOf)).toEqual([401, 401])
    expect(new Set(answers.map(({ bytes }) => bytes.length)).size).toBe(1)
    expect(turn.server.allocationCount).toBe(0)
  })

  test('an older secret still opens the door', () => {
    const turn = new VirtualTurn({ secrets: ['new', 'old'] })
    expect(turn.client(40_000, { secret: 'old' }).ask((d) => d.allocate())).toBe(0)
    expect(turn.client(40_001, { secret: 'new' }).ask((d) => d.allocate())).toBe(0)
  })

  test('[S10] a nonce that is stale, forged or another address’s is answered with a new one', () => {
    const turn = new VirtualTurn()
    const other = turn.client(40_001)
    other.allocate()
    const client = turn.client(40_000)
    client.dialogue.useNonce(other.dialogue.nonce ?? '')
    const [answer = new Uint8Array()] = client.send(client.dialogue.allocate())
    expect(codeOf(mustDecode(answer))).toBe(438)
    expect(client.ask((d) => d.allocate())).toBe(0)
    turn.passUnswept({ seconds: 601 })
    turn.pass({ seconds: 0 })
    expect(client.ask((d) => d.allocate())).toBe(0)
  })

  test('a changed byte anywhere before the signature is refused', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    client.send(client.dialogue.allocate())
    client.dialogue.absorb(client.inbox[0] ?? new Uint8Array())
    const request = client.dialogue.allocate([lifetime(1_000)])
    for (let offset = 28; offset < 36; offset++) {
      const changed = Buffer.from(request)
      changed[offset] = (changed[offset] ?? 0) ^ 1
      const [answer] = client.send(changed)
      if (answer) expect(codeOf(mustDecode(answer))).not.toBe(0)
    }
    expect(turn.server.allocationCount).toBe(0)
  })

  test('a running allocation takes no request that its key did not sign', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    client.allocate()
    const forged = Buffer.from(client.dialogue.request(methods.refresh, [lifetime(0)]))
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    const [answer = new Uint8Array()] = client.send(forged)
    expect(codeOf(mustDecode(answer))).toBe(401)
    expect(turn.server.allocationCount).toBe(1)
  })

  test('another realm is refused, however it is signed', () => {
    const client = new VirtualTurn().client(40_000)
    client.send(client.dialogue.allocate())
    const challenge = client.dialogue.absorb(client.inbox[0] ?? new Uint8Array())
    const nonce = attributeValue(challenge, NONCE) ?? new Uint8Array()
    const request = encodeMessage({
      method: methods.allocate,
      messageClass: classes.request,
      transactionId: new Uint8Array(12),
      attributes: [
        requestedTransport(17),
        credentialText(USERNAME, client.dialogue.username),
        credentialText(REALM, 'elsewhere'),
        { type: NONCE, value: nonce },
      ],
      integrityKey: client.dialogue.key,
    })
    const [answer = new Uint8Array()] = client.send(request)
    expect(codeOf(mustDecode(answer))).toBe(401)
  })

  test('[S5] what follows the signature has no effect', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    client.allocate()
    const refresh = client.dialogue.request(methods.refresh, [lifetime(700)])
    const [answer = new Uint8Array()] = client.send(withTrailer(refresh, lifetime(3_600)))
    expect(grantedBy(mustDecode(answer))).toBe(700)
    const again = client.dialogue.request(methods.refresh, [lifetime(700)])
    const [second = new Uint8Array()] = client.send(withTrailer(again, attribute(0x7fff, 4)))
    expect(codeOf(mustDecode(second))).toBe(0)
  })

  test('answers to a client that has shown who it is are signed, errors too', () => {
    const client = new VirtualTurn().client(40_000)
    const answers = [
      client.converse((d) => d.allocate()),
      client.converse((d) => d.allocate()),
      client.converse((d) => d.channelBind(0x3fff, peer)),
    ]
    expect(answers.map(codeOf)).toEqual([0, 437, 400])
    for (const { bytes, integrityOffset } of answers) {
      expect(isIntact(bytes, integrityOffset ?? 0, client.dialogue.key)).toBe(true)
    }
  })

  test('[S9] strangers of one address get a bounded number of answers each second', () => {
    const turn = new VirtualTurn({ limits: { strangerRepliesPerSecond: 10 } })
    for (let port = 1; port <= 1_000; port++) {
      const client = turn.client(port)
      client.send(client.dialogue.allocate())
    }
    expect(turn.countOf('sendToClient')).toBe(10)
    expect(turn.server.counters.drops('replyLimit')).toBe(990)
    expect(turn.client(40_000, { host: '198.51.100.8' }).ask((d) => d.allocate())).toBe(0)
    expect(turn.client(40_001, { transport: 'tcp' }).ask((d) => d.allocate())).toBe(0)
  })
})

describe('Allocate', () => {
  test('gives an announced address, a port of the range and ten minutes', () => {
    const client = new VirtualTurn().client(40_000)
    const answer = client.converse((d) => d.allocate())
    const relayed = relayedAddressOf(answer)
    expect(relayed.host).toBe('203.0.113.1')
    expect(relayed.port).toBeGreaterThanOrEqual(50_000)
    expect(relayed.port).toBeLessThanOrEqual(50_099)
    expect(grantedBy(answer)).toBe(600)
    const mapped = attributeValue(answer, XOR_MAPPED_ADDRESS) ?? new Uint8Array()
    expect(readXorAddress(mapped, transactionIdOf(answer))).toEqual(client.endpoint)
  })

  test.each([
    [10, 600],
    [1_800, 1_800],
    [100_000, 3_600],
  ])('a lifetime of %i s becomes %i s', (asked, granted) => {
    const client = new VirtualTurn().client(40_000)
    expect(grantedBy(client.converse((d) => d.allocate([lifetime(asked)])))).toBe(granted)
  })

  test('a retransmission gets the identical answer and no second allocation', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    client.send(client.dialogue.allocate())
    client.dialogue.absorb(client.inbox[0] ?? new Uint8Array())
    const request = client.dialogue.allocate()
    const [first] = client.send(request)
    turn.pass({ seconds: 39 })
    const [second] = client.send(request)
    expect(codeOf(mustDecode(first ?? new Uint8Array()))).toBe(0)
    expect(second).toEqual(first)
    expect(turn.countOf('bindRelay')).toBe(1)
  })

  test('a retransmission while the relay opens is left to the answer that comes', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    client.send(client.dialogue.allocate())
    client.dialogue.absorb(client.inbox[0] ?? new Uint8Array())
    turn.holdsBinds = true
    const request = client.dialogue.allocate()
    expect(client.send(request)).toEqual([])
    expect(client.send(request)).toEqual([])
    expect(turn.countOf('bindRelay')).toBe(1)
  })

  test('a second request on the 5-tuple does not fit, and leaves the first in place', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    client.allocate()
    expect(client.ask((d) => d.allocate())).toBe(437)
    expect(client.ask((d) => d.request(methods.refresh))).toBe(0)
    expect(turn.server.allocationCount).toBe(1)
  })

  test.each<[string, readonly Attribute[], number]>([
    ['no transport', [], 400],
    ['a transport of 3 bytes', [attribute(REQUESTED_TRANSPORT, 3)], 400],
    ['TCP relays', [requestedTransport(6)], 442],
    ['a lifetime of 3 bytes', [requestedTransport(17), attribute(LIFETIME, 3)], 400],
    ['DONT-FRAGMENT', [requestedTransport(17), attribute(0x001a, 0)], 420],
    ['IPv6 where there is none', [requestedTransport(17), requestedAddressFamily(6)], 440],
    ['a family that nobody knows', [requestedTransport(17), attribute(0x17, 4)], 440],
    ['a family of 3 bytes', [requestedTransport(17), attribute(0x17, 3)], 400],
    ['a token nobody gave', [requestedTransport(17), attribute(RESERVATION_TOKEN, 8)], 508],
    ['a token of 7 bytes', [requestedTransport(17), attribute(RESERVATION_TOKEN, 7)], 400],
    [
      'a token and a family',
      [requestedTransport(17), attribute(RESERVATION_TOKEN, 8), requestedAddressFamily(4)],
      400,
    ],
    [
      'a token and an even port',
      [requestedTransport(17), attribute(RESERVATION_TOKEN, 8), evenPort({ reserveNext: false })],
      400,
    ],
  ])('asking for %s is refused', (_name, attributes, code) => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000).getChallenged()
    expect(client.ask((d) => d.request(methods.allocate, attributes))).toBe(code)
    expect(turn.server.allocationCount).toBe(0)
    expect(client.ask((d) => d.allocate())).toBe(0)
  })

  test('an even port is even, and comes back when it is released', () => {
    const turn = new VirtualTurn({ relayPorts: { first: 50_001, last: 50_004 } })
    const client = turn.client(40_000)
    for (let round = 0; round < 20; round++) {
      const answer = client.converse((d) => d.allocate([evenPort({ reserveNext: false })]))
      expect(relayedAddressOf(answer).port % 2).toBe(0)
      expect(client.ask((d) => d.request(methods.refresh, [lifetime(0)]))).toBe(0)
    }
  })

  test('IPv6 relays are given where they are offered', () => {
    const turn = new VirtualTurn({ withIpv6: true })
    const client = turn.client(40_000)
    const answer = client.converse((d) => d.allocate([requestedAddressFamily(6)]))
    expect(relayedAddressOf(answer).host).toBe('2001:db8:0:0:0:0:0:1')
    const peer6 = endpoint('2606:4700::1111', 5_000)
    expect(client.ask((d) => d.createPermission([peer6]))).toBe(0)
    expect(client.ask((d) => d.createPermission([peer]))).toBe(443)
    client.send(client.dialogue.send(peer6, Buffer.from('six')))
    expect(turn.sentToPeers).toMatchObject([{ payload: 'six' }])
  })

  test('a user has a quota, a release gives it back', () => {
    const turn = new VirtualTurn({ limits: { allocationsPerUser: 2 } })
    const [first, second, third] = [40_000, 40_001, 40_002].map((port) => turn.client(port))
    expect(first?.ask((d) => d.allocate())).toBe(0)
    expect(second?.ask((d) => d.allocate())).toBe(0)
    expect(third?.ask((d) => d.allocate())).toBe(486)
    expect(turn.client(40_003, { user: 'bob' }).ask((d) => d.allocate())).toBe(0)
    first?.ask((d) => d.request(methods.refresh, [lifetime(0)]))
    expect(third?.ask((d) => d.allocate())).toBe(0)
  })

  test('a full server and a full port range are insufficient capacity', () => {
    const small = new VirtualTurn({ relayPorts: { first: 50_000, last: 50_002 } })
    const codes = [1, 2, 3, 4].map((port) => small.client(port).ask((d) => d.allocate()))
    expect(codes).toEqual([0, 0, 0, 508])
    small.pass({ seconds: 600 })
    expect(small.client(5).ask((d) => d.allocate())).toBe(0)

    const full = new VirtualTurn({ limits: { allocations: 1 } })
    expect(full.client(1).ask((d) => d.allocate())).toBe(0)
    expect(full.client(2).ask((d) => d.allocate())).toBe(508)
  })

  test('a port that another process holds is passed over', () => {
    const turn = new VirtualTurn({ relayPorts: { first: 50_000, last: 50_003 } })
    turn.portsInUse.add(50_000).add(50_001).add(50_002)
    expect(turn.client(1).allocate().port).toBe(50_003)
    expect(turn.client(2).ask((d) => d.allocate())).toBe(508)
    expect(turn.server.allocationCount).toBe(1)
  })

  test('a stream that closes takes its allocation with it', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000, { transport: 'tcp' })
    client.allocate()
    client.disconnect()
    expect(turn.server.allocationCount).toBe(0)
    expect(turn.countOf('closeRelay')).toBe(1)
  })

  test('a relay that opens after its client has gone is closed again', () => {
    const turn = new VirtualTurn()
    turn.holdsBinds = true
    const client = turn.client(40_000, { transport: 'tcp' })
    client.send(client.dialogue.allocate())
    client.dialogue.absorb(client.inbox[0] ?? new Uint8Array())
    client.send(client.dialogue.allocate())
    client.disconnect()
    const bind = turn.commands.find((command) => command.type === 'bindRelay')
    if (bind?.type === 'bindRelay') turn.server.relayBound(bind.relay, turn.now)
    turn.run()
    expect(turn.countOf('closeRelay')).toBe(1)
    expect(turn.server.allocationCount).toBe(0)
  })
})

describe('Refresh', () => {
  test('extends, clamps and ends', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    client.allocate()
    const refresh = (seconds?: number) =>
      client.converse((d) =>
        d.request(methods.refresh, seconds === undefined ? [] : [lifetime(seconds)]),
      )
    expect([refresh(10), refresh(3_600), refresh()].map(grantedBy)).toEqual([600, 3_600, 600])
    expect(grantedBy(refresh(0))).toBe(0)
    expect(codeOf(refresh())).toBe(437)
    expect(turn.countOf('closeRelay')).toBe(1)
  })

  test('for another family or of a wrong size is refused', () => {
    const client = new VirtualTurn().client(40_000)
    client.allocate()
    const refresh = (attributes: readonly Attribute[]) =>
      client.ask((d) => d.request(methods.refresh, attributes))
    expect(refresh([requestedAddressFamily(6)])).toBe(443)
    expect(refresh([requestedAddressFamily(4)])).toBe(0)
    expect(refresh([attribute(REQUESTED_ADDRESS_FAMILY, 3)])).toBe(400)
    expect(refresh([attribute(LIFETIME, 3)])).toBe(400)
    expect(refresh([attribute(0x7fff, 4)])).toBe(420)
  })

  test('goes on with the credentials of the allocation, also when they have expired', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000, { lifetimeSeconds: 60 })
    client.allocate()
    turn.pass({ seconds: 300 })
    expect(client.ask((d) => d.request(methods.refresh))).toBe(0)
    expect(turn.client(40_001).ask((d) => d.allocate())).toBe(0)
  })
})

test.each([methods.refresh, methods.createPermission, methods.channelBind])(
  'method %i without an allocation is a mismatch',
  (method) => {
    const client = new VirtualTurn().client(40_000).getChallenged()
    expect(client.ask((d) => d.request(method))).toBe(437)
  },
)

test('[S17] another user on the same 5-tuple is refused and changes nothing', () => {
  const turn = new VirtualTurn()
  const alice = turn.client(40_000)
  alice.allocate()
  const mallory = turn.client(40_000, { user: 'mallory' })
  mallory.dialogue.useNonce(alice.dialogue.nonce ?? '')
  for (const build of [
    () => mallory.dialogue.request(methods.refresh, [lifetime(0)]),
    () => mallory.dialogue.createPermission([peer]),
    () => mallory.dialogue.channelBind(0x4000, peer),
  ]) {
    // Answers to a 5-tuple reach whoever holds it.
    mallory.send(build())
    expect(codeOf(mustDecode(alice.inbox.at(-1) ?? new Uint8Array()))).toBe(441)
  }
  alice.send(alice.dialogue.send(peer, Buffer.from('x')))
  expect(turn.sentToPeers).toEqual([])
  expect(turn.server.allocationCount).toBe(1)
})

test('the same user with fresher credentials may go on', () => {
  const turn = new VirtualTurn()
  const client = turn.client(40_000)
  client.allocate()
  const renewed = turn.client(40_000, { lifetimeSeconds: 90_000 })
  renewed.dialogue.useNonce(client.dialogue.nonce ?? '')
  renewed.send(renewed.dialogue.request(methods.refresh))
  expect(codeOf(mustDecode(client.inbox.at(-1) ?? new Uint8Array()))).toBe(0)
})

function attribute(type: number, length: number): Attribute {
  return { type, value: new Uint8Array(length) }
}

function grantedBy(message: Parameters<typeof attributeValue>[0]): number | undefined {
  return readLifetime(attributeValue(message, LIFETIME) ?? new Uint8Array())
}

/** Appends an attribute behind MESSAGE-INTEGRITY, as somebody on the path could. */
function withTrailer(message: Uint8Array, { type, value }: Attribute): Uint8Array {
  const header = new Uint8Array(4)
  writeUint16(header, 0, type)
  writeUint16(header, 2, value.length)
  const longer = Buffer.concat([message, header, value])
  writeUint16(longer, 2, longer.length - 20)
  return longer
}
