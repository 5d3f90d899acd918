import { describe, expect, test } from 'vitest'
import { codeOf, endpoint, mustDecode } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import type { VirtualClient } from '../testing-network.ts'
import type { Attribute } from '../wire/index.ts'
import {
  DATA,
  NONCE,
  REALM,
  USERNAME,
  XOR_PEER_ADDRESS,
  classes,
  credentialText,
  encodeMessage,
  messageType,
  methods,
  requestedAddressFamily,
  requestedTransport,
  writeUint16,
  xorAddress,
} from '../wire/index.ts'
import { parsePeerRange } from './peer-range.ts'

/** What a well-known scanner of TURN servers tries, and the ends of what must be refused. */
const scanned = [
  ...['0.0.0.0', '127.0.0.1', '127.0.0.8', '127.255.255.254', '10.0.0.1', '10.255.255.254'],
  ...['172.16.0.1', '172.31.255.254', '192.168.0.1', '192.168.255.254', '169.254.0.1'],
  ...['169.254.254.255', '169.254.169.254', '224.0.0.1', '239.255.255.254', '100.64.0.1'],
  ...['100.127.255.254', '192.0.0.1', '192.0.0.254', '192.0.2.1', '192.0.2.254', '198.18.0.1'],
  ...['198.19.255.254', '198.51.100.1', '198.51.100.254', '203.0.113.2', '203.0.113.254'],
  ...['192.88.99.1', '240.0.0.1', '255.255.255.255'],
]
const scannedIpv6 = [
  ...['::', '::1', '100::1', '2001::1', '2001:db8::2', '2002::1', 'fc00::1', 'fdff::1'],
  ...['fe80::1', 'febf::1', 'fec0::1', 'ff02::1', '64:ff9b:1::1'],
]
const carried = ['127.0.0.1', '0.0.0.0', '169.254.169.254', '10.0.0.5', '224.0.0.1']

describe.each([
  ['IPv4', 4, scanned],
  ['IPv6', 6, [...scannedIpv6, ...carried.flatMap(spellings)]],
] as const)('[S1] [S2] [S3] a relay on %s', (_name, family, hosts) => {
  test.each(hosts)('reaches %s in no way', (host) => {
    const turn = new VirtualTurn({ withIpv6: true })
    const client = turn.client(40_000)
    expect(client.ask((d) => d.allocate([requestedAddressFamily(family)]))).toBe(0)
    const target = endpoint(host, 5_000)
    expect(client.ask((d) => d.createPermission([target]))).toBe(403)
    expect(client.ask((d) => d.channelBind(0x4000, target))).toBe(403)
    client.send(client.dialogue.send(target, Buffer.from('reached')))
    client.sendOnChannel(0x4000, 'reached')
    expect(turn.sentToPeers).toEqual([])
  })
})

test('[S3] a channel to a peer that is denied since is not refreshed and carries nothing', () => {
  const turn = new VirtualTurn()
  const client = turn.client(40_000)
  const peer = endpoint('9.9.9.9', 5_000)
  client.allocate()
  expect(client.ask((d) => d.channelBind(0x4000, peer))).toBe(0)
  const denied = parsePeerRange('9.9.9.0/24')
  turn.policy.replaceRules({ allowPeers: [], denyPeers: denied ? [denied] : [] })
  expect(client.ask((d) => d.channelBind(0x4000, peer))).toBe(403)
  client.sendOnChannel(0x4000, 'reached')
  expect(turn.sentToPeers).toEqual([])
})

describe('[S7] a forged signature', () => {
  test.each([
    ['with a nonce that nobody issued', 438, { nonce: 'forged' }],
    ['with a nonce of ours', 401, {}],
    ['in another realm', 401, { realm: 'elsewhere' }],
  ])('%s gets %i and no session', (_name, code, { realm = 'parley', nonce }: Forgery) => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000).getChallenged()
    const forged = signed(client, methods.allocate, [
      requestedTransport(17),
      credentialText(USERNAME, client.dialogue.username),
      credentialText(REALM, realm),
      credentialText(NONCE, nonce ?? client.dialogue.nonce ?? ''),
    ])
    expect(codeOf(mustDecode(client.send(forged)[0] ?? new Uint8Array()))).toBe(code)
    expect(turn.server.allocationCount).toBe(0)
  })
})

describe('[S8] a stranger’s request over UDP', () => {
  test.each<[string, (client: VirtualClient) => Uint8Array, number]>([
    ['a bare Binding', (client) => client.dialogue.request(methods.binding), 1.6],
    ['an Allocate', (client) => client.dialogue.allocate(), 3.2],
    ['a bare Allocate', (client) => client.dialogue.request(methods.allocate), 0],
    ['a bare Refresh', (client) => client.dialogue.request(methods.refresh), 0],
    ['a forged Allocate', (client) => forgedAllocate(client), 1],
  ])('%s is not worth reflecting', (_name, build, mostTimes) => {
    const client = new VirtualTurn().client(40_000)
    const request = build(client)
    const bytes = client.send(request).reduce((sum, answer) => sum + answer.length, 0)
    expect(bytes / request.length).toBeLessThanOrEqual(mostTimes)
  })

  test('over TCP gets its answer, since its address is no forgery', () => {
    const client = new VirtualTurn().client(40_000, { transport: 'tcp' })
    expect(client.send(client.dialogue.request(methods.allocate))).toHaveLength(1)
  })
})

describe('[S15] a scan through a relay', () => {
  const target = (port: number) => endpoint('9.9.9.9', port)

  test('of one host’s ports ends after a few, and goes on no sooner than a minute later', () => {
    const turn = new VirtualTurn({ limits: { peersPerMinute: 20 } })
    const client = turn.client(40_000)
    client.allocate()
    client.ask((d) => d.createPermission([target(1)]))
    const scan = () => {
      for (let port = 1; port <= 5_000; port++) {
        client.send(client.dialogue.send(target(port), Buffer.from('?')))
      }
    }
    scan()
    expect(turn.sentToPeers).toHaveLength(20)
    expect(turn.server.counters.drops('scan')).toBe(4_980)
    turn.passUnswept({ seconds: 59 })
    client.send(client.dialogue.send(target(1), Buffer.from('old acquaintance')))
    client.send(client.dialogue.send(target(21), Buffer.from('?')))
    expect(turn.sentToPeers).toHaveLength(21)
    turn.passUnswept({ seconds: 1 })
    scan()
    // Twenty old acquaintances and twenty new ones.
    expect(turn.sentToPeers).toHaveLength(61)
  })
})

describe('[S21] lengths that lie', () => {
  test('a DATA attribute longer than its message reaches nobody', () => {
    const turn = new VirtualTurn()
    const client = turn.client(40_000)
    const peer = endpoint('9.9.9.9', 5_000)
    client.allocate()
    client.ask((d) => d.createPermission([peer]))
    const transactionId = new Uint8Array(12)
    const honest = encodeMessage({
      method: methods.send,
      messageClass: classes.indication,
      transactionId,
      attributes: [
        xorAddress(XOR_PEER_ADDRESS, peer, transactionId),
        { type: DATA, value: Buffer.from('data') },
      ],
    })
    for (const length of [5, 8, 0x100, 0xfffc, 0xffff]) {
      const lying = Buffer.from(honest)
      writeUint16(lying, honest.length - 6, length)
      client.send(lying)
    }
    expect(turn.sentToPeers).toEqual([])
    client.send(honest)
    expect(turn.sentToPeers).toHaveLength(1)
  })

  test('a header that promises more or less than there is gets no answer', () => {
    const client = new VirtualTurn().client(40_000)
    const request = Buffer.from(client.dialogue.allocate())
    for (const length of [0, 4, 9, 12, 0xfffc, 0xffff]) {
      writeUint16(request, 2, length)
      expect(client.send(request)).toEqual([])
    }
  })
})

describe('[S25] names', () => {
  test.each(['%s%n', 'a\r\nlevel: admin', 'nul\0', '{"$ne":1}', '‮evil', '../../etc'])(
    '%j are data: refused, or a user like any other',
    (user) => {
      const turn = new VirtualTurn()
      expect(turn.client(1, { user, secret: 'wrong' }).ask((d) => d.allocate())).toBe(401)
      expect(turn.client(2, { user }).ask((d) => d.allocate())).toBe(0)
      expect(turn.server.sessions().map((session) => session.user)).toEqual([user])
    },
  )

  test.each([
    ['of 513 bytes', Buffer.alloc(513, 0x61)],
    ['that are not UTF-8', Buffer.from([0x31, 0x3a, 0xff, 0xfe])],
  ])('%s are malformed', (_name, value) => {
    const client = new VirtualTurn().client(40_000).getChallenged()
    const bytes = signed(client, methods.allocate, [
      requestedTransport(17),
      { type: USERNAME, value },
      credentialText(REALM, 'parley'),
      credentialText(NONCE, client.dialogue.nonce ?? ''),
    ])
    expect(codeOf(mustDecode(client.send(bytes)[0] ?? new Uint8Array()))).toBe(400)
  })
})

test('responses and indications of methods that a server sends are dropped', () => {
  const client = new VirtualTurn().client(40_000)
  for (const method of Object.values(methods)) {
    for (const messageClass of [classes.indication, classes.success, classes.error]) {
      const bytes = Buffer.from(client.dialogue.request(methods.binding))
      writeUint16(bytes, 0, messageType(method, messageClass))
      expect(client.send(bytes)).toEqual([])
    }
  }
})

interface Forgery {
  readonly realm?: string
  readonly nonce?: string
}

/** The ways to write an IPv4 address as an IPv6 one. */
function spellings(ipv4: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number)
  const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  return [`::ffff:${ipv4}`, `::${ipv4}`, `2002:${hex}::1`, `64:ff9b::${ipv4}`]
}

function signed(
  client: VirtualClient,
  method: number,
  attributes: readonly Attribute[],
): Uint8Array {
  return encodeMessage({
    method,
    messageClass: classes.request,
    transactionId: new Uint8Array(12),
    attributes,
    integrityKey: Buffer.from('not the key of anybody'),
  })
}

function forgedAllocate(client: VirtualClient): Uint8Array {
  return signed(client, methods.allocate, [
    requestedTransport(17),
    credentialText(USERNAME, client.dialogue.username),
    credentialText(REALM, 'parley'),
    credentialText(NONCE, 'obMatJos2AAABxxxxxxxxxxxxxxxx'),
  ])
}
