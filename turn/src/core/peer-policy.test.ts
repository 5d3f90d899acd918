import { describe, expect, test } from 'vitest'
import { endpoint } from '../testing.ts'
import type { PeerPolicyParts } from './peer-policy.ts'
import { PeerPolicy } from './peer-policy.ts'
import { parsePeerRange, refusedByDefault } from './peer-range.ts'

/** The ends of every range that is refused, and what lies in between that attackers look for. */
const refusedIpv4 = [
  ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.0.0.5', '10.255.255.255'],
  ...['100.64.0.0', '100.127.255.255', '127.0.0.1', '127.0.0.8', '127.255.255.254'],
  ...['169.254.0.1', '169.254.169.254', '169.254.254.255', '172.16.0.0', '172.31.255.255'],
  ...['192.0.0.1', '192.0.2.1', '192.0.2.255', '192.88.99.1', '192.168.0.0', '192.168.255.255'],
  ...['198.18.0.0', '198.19.255.255', '198.51.100.1', '203.0.113.255', '224.0.0.1'],
  ...['239.255.255.254', '240.0.0.1', '255.255.255.255'],
]
const welcomeIpv4 = [
  ...['1.1.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
  ...['192.0.1.0', '192.0.3.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0'],
  ...['223.255.255.255'],
]
const refusedIpv6 = [
  ...['::', '::1', '::2', '64:ff9b::', '64:ff9b:1::1', '64:ff9b:1:ffff::', '100::1', '2001::1'],
  ...[
    '2001:0:ffff::',
    '2001:db8::1',
    '2001:db8:ffff::',
    '2002::',
    '2002:ffff::',
    'fc00::',
    'fdff::1',
  ],
  ...['fe80::1', 'febf::1', 'fec0::1', 'feff::1', 'ff00::', 'ff02::1'],
]
const welcomeIpv6 = [
  '2001:1::1',
  '2001:db9::1',
  '2003::1',
  '2606:4700::1111',
  '2a00:1450::1',
  'fbff::',
]

describe('by default', () => {
  test.each([...refusedIpv4, ...refusedIpv6])('%s is refused', (host) => {
    expect(verdict(host)).toMatchObject({ ok: false, cause: 'default' })
  })

  test.each([...welcomeIpv4, ...welcomeIpv6])('%s is welcome', (host) => {
    expect(verdict(host)).toEqual({ ok: true })
  })

  test.each(refusedIpv4)('every IPv6 spelling of %s is refused', (host) => {
    for (const spelling of spellings(host)) {
      expect(verdict(spelling), spelling).toMatchObject({ ok: false })
    }
  })

  test('a public address in its mapped spelling is that address, in a tunnel it is refused', () => {
    const [mapped = '', ...tunnels] = spellings('1.1.1.1')
    expect(verdict(mapped)).toEqual({ ok: true })
    for (const tunnel of tunnels) expect(verdict(tunnel), tunnel).toMatchObject({ ok: false })
  })

  test('every default range is refused at both ends', () => {
    for (const range of refusedByDefault) {
      expect(verdict(range.text.split('/')[0] ?? ''), range.text).toMatchObject({ ok: false })
    }
  })
})

describe('an explicit permission', () => {
  test('admits its range in the address and its mapped spelling, and nothing around it', () => {
    const allow = ranges('10.1.0.0/16')
    expect(verdict('10.1.2.3', { allow })).toEqual({ ok: true })
    expect(verdict('::ffff:10.1.2.3', { allow })).toEqual({ ok: true })
    expect(verdict('10.2.0.0', { allow })).toMatchObject({ ok: false, rule: '10.0.0.0/8' })
    expect(verdict('2002:a01:203::', { allow })).toMatchObject({ ok: false, rule: '2002::/16' })
  })

  test('for a translator does not open what lies behind it', () => {
    const allow = ranges('64:ff9b::/96')
    expect(verdict('64:ff9b::1.1.1.1', { allow })).toEqual({ ok: true })
    expect(verdict('64:ff9b::127.0.0.1', { allow })).toMatchObject({ rule: '127.0.0.0/8' })
    expect(verdict('64:ff9b::a9fe:a9fe', { allow })).toMatchObject({ rule: '169.254.0.0/16' })
  })

  test('for Teredo opens neither its servers nor its clients', () => {
    const allow = ranges('2001::/32')
    expect(verdict('2001:0:101:101::fefe:fefe', { allow })).toEqual({ ok: true })
    expect(verdict('2001:0:101:101::80ff:fffe', { allow })).toMatchObject({ rule: '127.0.0.0/8' })
    expect(verdict('2001:0:7f00:1::fefe:fefe', { allow })).toMatchObject({ rule: '127.0.0.0/8' })
  })

  test('may be for IPv6 loopback alone', () => {
    expect(verdict('::1', { allow: ranges('::1') })).toEqual({ ok: true })
    expect(verdict('::2', { allow: ranges('::1') })).toMatchObject({ ok: false })
  })
})

describe('an explicit denial', () => {
  test('wins over a permission', () => {
    const parts = { allow: ranges('10.0.0.0/8'), deny: ranges('10.9.0.0/16') }
    expect(verdict('10.8.0.1', parts)).toEqual({ ok: true })
    expect(verdict('10.9.0.1', parts)).toEqual({ ok: false, cause: 'denied', rule: '10.9.0.0/16' })
  })

  test('reaches every spelling of what it denies', () => {
    const deny = ranges('1.2.3.0/24')
    for (const spelling of spellings('1.2.3.4')) {
      expect(verdict(spelling, { deny }), spelling).toMatchObject({ ok: false })
    }
    expect(verdict('::ffff:1.2.3.4', { deny })).toMatchObject({ cause: 'denied' })
  })

  test('holds for a part of a byte', () => {
    const deny = ranges('2a00:1450:8000::/33')
    expect(verdict('2a00:1450:7fff::', { deny })).toEqual({ ok: true })
    expect(verdict('2a00:1450:8000::', { deny })).toMatchObject({ cause: 'denied' })
    expect(verdict('2a00:1450:ffff::', { deny })).toMatchObject({ cause: 'denied' })
  })
})

describe('this server', () => {
  const parts = {
    ownAddresses: [address('5.6.7.8'), address('10.0.0.2')],
    relayAddresses: [address('5.6.7.8')],
  }

  test('is refused as a peer, unless it is permitted', () => {
    expect(verdict('5.6.7.8', parts)).toMatchObject({ cause: 'ownAddress' })
    expect(verdict('10.0.0.2', parts)).toMatchObject({ cause: 'ownAddress' })
    expect(verdict('10.0.0.2', { ...parts, allow: ranges('10.0.0.2') })).toEqual({ ok: true })
  })

  test('refuses its listeners whatever is permitted', () => {
    const policy = policyOf({ ...parts, allow: ranges('0.0.0.0/0', '::/0') })
    policy.addListenerPort(3478)
    const refused = { ok: false, cause: 'ownListener' }
    for (const host of ['5.6.7.8', '10.0.0.2', '127.0.0.1', '127.9.9.9', '::1']) {
      expect(policy.sendVerdict(address(host), 3478), host).toMatchObject(refused)
      expect(policy.bindVerdict(address(host), 3478), host).toMatchObject(refused)
    }
    expect(policy.sendVerdict(address('::ffff:5.6.7.8'), 3478)).toMatchObject(refused)
    expect(policy.sendVerdict(address('5.6.7.8'), 3479)).toEqual({ ok: true })
    expect(policy.sendVerdict(address('9.9.9.9'), 3478)).toEqual({ ok: true })
  })

  test('admits its relays, by permission and by channel, even when all is denied', () => {
    const policy = policyOf({ ...parts, deny: ranges('0.0.0.0/0') })
    expect(policy.permissionVerdict(address('5.6.7.8'))).toEqual({ ok: true })
    expect(policy.bindVerdict(address('5.6.7.8'), 50_001)).toEqual({ ok: true })
    expect(policy.bindVerdict(address('5.6.7.8'), 22)).toMatchObject({ ok: false })
    expect(policy.sendVerdict(address('5.6.7.8'), 50_001)).toMatchObject({ ok: false })
  })
})

test.each(['10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/', '10.0.0.0/8/8', 'localhost', ''])(
  '%j is no range',
  (text) => {
    expect(parsePeerRange(text)).toBeUndefined()
  },
)

function verdict(host: string, parts: Partial<PeerPolicyParts> = {}) {
  const policy = policyOf(parts)
  const onSend = policy.sendVerdict(address(host), 4444)
  const isRelay = parts.relayAddresses?.includes(address(host)) ?? false
  if (!isRelay) expect(policy.permissionVerdict(address(host))).toEqual(onSend)
  expect(policy.bindVerdict(address(host), 4444)).toEqual(onSend)
  return onSend
}

function policyOf(parts: Partial<PeerPolicyParts>): PeerPolicy {
  return new PeerPolicy({
    allow: [],
    deny: [],
    ownAddresses: [],
    relayAddresses: [],
    relayPorts: { first: 50_000, last: 50_099 },
    ...parts,
  })
}

/** Mapped first, then compatible, 6to4, NAT64 (well-known and /48) and Teredo as client and server. */
function spellings(host: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = host.split('.').map(Number)
  const high = (a * 256 + b).toString(16)
  const low = (c * 256 + d).toString(16)
  const inverted = [a, b, c, d].map((byte) => 255 - byte)
  return [
    `::ffff:${host}`,
    `::${host}`,
    `2002:${high}:${low}::`,
    `2002:${high}:${low}::1`,
    `64:ff9b::${host}`,
    `64:ff9b:1::${host}`,
    `64:ff9b:1:${high}:${c.toString(16)}:${(d * 256).toString(16)}::`,
    `2001:0:${high}:${low}::1`,
    `2001:0:101:101::${inverted.join('.')}`,
  ]
}

function ranges(...texts: readonly string[]) {
  return texts.map(parsePeerRange).filter((range) => range !== undefined)
}

function address(host: string) {
  return endpoint(host, 0).address
}
