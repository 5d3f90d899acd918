import { expect, test } from 'vitest'
import { codeOf, endpoint } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import { ALTERNATE_SERVER, attributeValue, methods, readAlternateServer } from '../wire/index.ts'

test('a draining server sends new clients to another of their family, and serves the rest', () => {
  const turn = new VirtualTurn({ withIpv6: true })
  const old = turn.client(1)
  old.allocate()
  const alternates = [endpoint('192.0.2.9', 3478), endpoint('2001:db8::9', 3479)]
  turn.server.drain({ alternates })
  for (const [host, alternate] of [
    ['198.51.100.8', '192.0.2.9'],
    ['2620:fe::8', '2001:db8:0:0:0:0:0:9'],
  ] as const) {
    const refused = turn.client(2, { host }).converse((d) => d.allocate())
    expect(codeOf(refused)).toBe(300)
    expect(refused.integrityOffset).toBeDefined()
    const value = attributeValue(refused, ALTERNATE_SERVER) ?? new Uint8Array()
    expect(readAlternateServer(value)?.host).toBe(alternate)
  }
  expect(old.ask((d) => d.request(methods.refresh))).toBe(0)
  expect(old.ask((d) => d.createPermission([endpoint('9.9.9.9', 1)]))).toBe(0)

  turn.server.drain({ alternates: [] })
  expect(turn.client(3).ask((d) => d.allocate())).toBe(508)
  turn.server.drain(undefined)
  expect(turn.client(3).ask((d) => d.allocate())).toBe(0)
})

test('strangers do not learn of a drain', () => {
  const turn = new VirtualTurn()
  turn.server.drain({ alternates: [endpoint('192.0.2.9', 3478)] })
  expect(turn.client(1, { secret: 'wrong' }).ask((d) => d.allocate())).toBe(401)
})

test('an operator sees sessions and ends them by user or by number', () => {
  const turn = new VirtualTurn()
  for (const [port, user] of ['alice', 'alice', 'bob', 'carol'].entries()) {
    turn.client(port + 1, { user }).allocate()
  }
  const sessions = turn.server.sessions()
  expect(sessions.map(({ user }) => user)).toEqual(['alice', 'alice', 'bob', 'carol'])
  expect(sessions[2]).toMatchObject({
    transport: 'udp',
    client: '198.51.100.7:3',
    createdAt: turn.now,
    expiresAt: turn.now + 600_000,
    permissions: 0,
  })
  expect(turn.server.endSessions({ by: 'user', user: 'alice' })).toBe(2)
  expect(turn.server.endSessions({ by: 'id', id: sessions[2]?.id ?? -1 })).toBe(1)
  expect(turn.server.endSessions({ by: 'user', user: 'nobody' })).toBe(0)
  expect(turn.server.sessions().map(({ user }) => user)).toEqual(['carol'])
  turn.run()
  expect(turn.countOf('closeRelay')).toBe(3)
})
