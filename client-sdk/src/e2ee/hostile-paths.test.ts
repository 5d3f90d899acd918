import type { ParticipantId, PeerSignal } from '@parley/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { realClock } from '../../endurance/call-room.ts'
import { DescribedConnection, sdpOf } from '../../endurance/described-connection.ts'
import { HostileServer } from '../../endurance/hostile-server.ts'
import type { Person } from '../../endurance/hostile-server.ts'
import { until } from '../../endurance/patience.ts'
import { PeerSession } from '../p2p/session.ts'

/** What the server does to a signal on its way; undefined keeps it back. */
type Tamper = (signal: PeerSignal, from: ParticipantId) => PeerSignal | undefined

/** One end of a direct path: the SDK's own session on a connection without a network. */
interface End {
  readonly person: Person
  readonly session: PeerSession
  readonly connection: DescribedConnection
  /** What the other end has sent, as the server has passed it on. */
  readonly heard: PeerSignal[]
}

const opened: { close(): void }[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

describe('a direct path', () => {
  test('over an honest server is proven to both', async () => {
    const [offerer, answerer] = await path()
    await until(() => isSealed(offerer) && isSealed(answerer))
    expect(offerer.connection.applied).toEqual([sdpOf(answerer.connection.fingerprint)])
    expect([...offerer.person.alarms, ...answerer.person.alarms]).toEqual([])
  })

  test.each(['offer', 'answer'] as const)(
    'whose fingerprint is swapped in the %s is refused, and told of',
    async (kind) => {
      const others = Array.from({ length: 32 }, () => 'EE').join(':')
      const [offerer, answerer] = await path((signal) =>
        'description' in signal && signal.description.type === kind
          ? { ...signal, description: { ...signal.description, sdp: sdpOf(others) } }
          : signal,
      )
      const victim = kind === 'offer' ? answerer : offerer
      await until(() => victim.session.state === 'failed')
      expect(victim.person.alarms).toContainEqual(
        expect.objectContaining({ kind: 'peer-unverified' }),
      )
      expect(victim.connection).toMatchObject({ closed: true, applied: [] })
      expect([offerer, answerer].some(isSealed)).toBe(false)
    },
  )

  test('whose offer comes without a signature is refused, and told of', async () => {
    const [, answerer] = await path((signal) => {
      if (!('description' in signal)) return signal
      const { proof, ...rest } = signal
      return proof === undefined ? signal : rest
    })
    await until(() => answerer.session.state === 'failed')
    expect(answerer.person.alarms).toContainEqual(
      expect.objectContaining({ kind: 'peer-unverified' }),
    )
    expect(answerer.connection.applied).toEqual([])
  })

  test('that is offered an offer from an earlier call is refused, and told of', async () => {
    const [, earlier] = await path()
    await until(() => isSealed(earlier))
    const [old] = earlier.heard
    const [, answerer] = await path(
      (signal) => ('description' in signal && signal.description.type === 'offer' ? old : signal),
      { call: 'a-later-call' },
    )
    await until(() => answerer.session.state === 'failed')
    expect(answerer.person.alarms).toContainEqual(
      expect.objectContaining({ kind: 'peer-unverified' }),
    )
    expect(answerer.connection.applied).toEqual([])
  })

  test('to somebody whom the server gives another’s name is refused, and told of', async () => {
    const server = serve('the-call')
    const [alice, bob, carol] = await seated(server, 'alice', 'bob', 'carol')
    if (!alice || !bob || !carol) throw new Error('nobody is there')
    // Carol offers, and the server says that it was Bob.
    const heard = end(alice, bob)
    const offers = end(carol, alice, (signal) => heard.session.signal(signal))
    offers.connection.onnegotiationneeded?.()
    await until(() => heard.session.state === 'failed')
    expect(alice.alarms).toContainEqual(
      expect.objectContaining({ kind: 'peer-unverified', participant: bob.id }),
    )
    expect(heard.connection.applied).toEqual([])
  })

  test('whose confirmation is kept back shows nothing', async () => {
    const [offerer, answerer] = await path((signal) =>
      'confirmation' in signal ? undefined : signal,
    )
    await until(() => isSealed(offerer) && answerer.session.state === 'connected')
    expect(answerer.session.protection).toBe('pending')
    expect(answerer.session.streams.size).toBe(0)
  })
})

function serve(call: string): HostileServer {
  const server = new HostileServer({ call })
  opened.push(server)
  return server
}

/** Two people in a call, and what the server makes of the direct path between them. */
async function path(
  tamper: Tamper = (signal) => signal,
  { call = 'the-call' }: { call?: string } = {},
): Promise<readonly [offerer: End, answerer: End]> {
  const [alice, bob] = await seated(serve(call), 'alice', 'bob')
  if (!alice || !bob) throw new Error('nobody is there')
  const pass = (from: Person, to: () => End) => (signal: PeerSignal) => {
    const sent = tamper(signal, from.id)
    if (!sent) return
    to().heard.push(sent)
    to().session.signal(sent)
  }
  const offerer: End = end(
    alice,
    bob,
    pass(alice, () => answerer),
  )
  const answerer: End = end(
    bob,
    alice,
    pass(bob, () => offerer),
  )
  offerer.connection.onnegotiationneeded?.()
  return [offerer, answerer]
}

async function seated(server: HostileServer, ...users: string[]): Promise<readonly Person[]> {
  const people: Person[] = []
  for (const user of users) people.push(await server.seat(user))
  const trusts = ({ encryption }: Person, { id }: Person) => encryption.memberOf(id) !== undefined
  await until(() => people.every((one) => people.every((other) => trusts(one, other))))
  return people
}

function end(person: Person, peer: Person, send: (signal: PeerSignal) => void = () => undefined) {
  const connection = new DescribedConnection(person.user === 'alice' ? 'AA' : 'BB')
  const session: PeerSession = new PeerSession({
    peer: peer.id,
    polite: false,
    clock: realClock,
    connection: connection.connection,
    listener: { changed: () => undefined, broken: () => undefined, failed: () => undefined },
    binding: person.encryption.bindingTo(peer.id),
    refused: (reason) => person.encryption.reportUnverified(peer.id, reason),
    send,
  })
  opened.push(session)
  return { person, session, connection, heard: [] }
}

function isSealed({ session }: End): boolean {
  return session.protection === 'sealed'
}
