import type { AnswerFrame, CallView } from '@parley/protocol'
import { limits } from '@parley/protocol'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ResumeRequest } from './directory.ts'
import type { Hub } from './hub.ts'
import { testHub, TestPerson } from './testing-hub.ts'
import { FakeSfuNode, ManualEnvironment } from './testing.ts'

const MEDIA = { audio: true, video: true }
/** After which two go back to each other. */
const RETURN_AFTER_MS = 5_000

let env: ManualEnvironment
let node: FakeSfuNode
let hub: Hub

beforeEach(() => {
  env = new ManualEnvironment()
  node = new FakeSfuNode()
  hub = startHub()
})

describe('[TICKET-2] after a crash', () => {
  test('a direct call goes on as it was, for whoever comes first', async () => {
    const { alice, bob } = await callOfTwo()
    const before = alice.view()
    hub = startHub()
    const back = bob.again()
    expect(await back.resume()).toMatchObject({
      ok: true,
      data: {
        participant: bob.self(),
        call: {
          id: 'c1',
          answered: true,
          topology: before?.topology,
          participants: [
            { id: alice.self(), connected: false },
            { id: bob.self(), connected: true },
          ],
        },
      },
    })
    const first = alice.again()
    expect(await first.resume()).toMatchObject({ ok: true, data: { participant: alice.self() } })
    expect(back.view()?.participants).toMatchObject([{ connected: true }, { connected: true }])
    env.advance(limits.sessionGraceMs)
    expect(back.endReasons()).toEqual([])
    await first.ask('call.hangup', { call: 'c1' })
    expect(back.endReasons()).toEqual(['hangup'])
  })

  test('[TICKET-3] who does not come back within the grace is lost to the others', async () => {
    const { alice } = await callOfTwo()
    hub = startHub()
    const back = alice.again()
    await back.resume()
    env.advance(limits.sessionGraceMs - 1)
    expect(back.endReasons()).toEqual([])
    env.advance(1)
    expect(back.endReasons()).toEqual(['failed'])
  })

  test('a call through a node keeps its room and its streams', async () => {
    const people = await roomOfThree()
    const [alice] = people
    const publication = { producer: 'cam', source: 'camera', paused: false }
    node.published = [{ peer: alice?.self(), ...publication }] as FakeSfuNode['published']
    node.orders.length = 0
    hub = startHub()
    const back = await Promise.all(people.map(backIn))
    const view = back[0]?.view()
    expect(view?.topology).toEqual({ path: 'sfu', epoch: 1 })
    expect(view?.participants.map(({ id }) => id)).toEqual(people.map((p) => p.self()))
    expect(view?.participants[0]?.publications).toMatchObject([{ ...publication, epoch: 1 }])
    const types = node.orders.map(({ type }) => type)
    expect(types.filter((type) => type === 'room.adopt')).toHaveLength(1)
    expect(types).not.toContain('room.open')
    expect(types).not.toContain('room.close')
  })

  test('[PATH-7] a room that its node has lost too gets a new epoch', async () => {
    const [alice] = await roomOfThree()
    node.published = undefined
    hub = startHub()
    const back = alice?.again()
    await back?.resume()
    expect(back?.view()?.topology).toEqual({
      path: 'sfu',
      epoch: 1,
      next: { path: 'sfu', epoch: 2 },
    })
  })

  test('[PATH-8] a call that was to stay on nodes stays there with two', async () => {
    const people = await roomOfThree()
    const call = people[0]?.callId()
    await people[0]?.ask('call.escalate', { call })
    hub = startHub()
    const back = await Promise.all(people.map(backIn))
    await back[2]?.ask('call.hangup', { call })
    env.advance(RETURN_AFTER_MS)
    expect(back[0]?.view()?.participants).toHaveLength(2)
    expect(back[0]?.view()?.topology).toEqual({ path: 'sfu', epoch: 1 })
  })

  test('[PATH-9] another one goes back to the direct path', async () => {
    const people = await roomOfThree()
    hub = startHub()
    const back = await Promise.all(people.map(backIn))
    await back[2]?.ask('call.hangup', { call: people[0]?.callId() })
    env.advance(RETURN_AFTER_MS)
    expect(back[0]?.view()?.topology).toMatchObject({ next: { path: 'p2p', epoch: 2 } })
  })

  test('[TICKET-4] the newest ticket tells who was in the call', async () => {
    const [alice, bob, carol] = await roomOfThree()
    // Bob's socket is away, and with it every ticket from now on.
    bob?.drop()
    await carol?.ask('call.hangup', { call: carol.callId() })
    const dave = connect('dave')
    await dave.ask('room.join', { room: 'standup', media: MEDIA, topology: 'auto' })
    hub = startHub()
    const first = bob?.again()
    await first?.resume()
    expect(first?.view()?.participants.map(({ user }) => user)).toEqual(['alice', 'bob', 'carol'])
    await alice?.again().resume()
    expect(first?.view()?.participants.map(({ user }) => user)).toEqual(['alice', 'bob', 'dave'])
    expect(await carol?.again().resume()).toMatchObject({ error: { code: 'not-in-call' } })
    expect(await dave.again().resume()).toMatchObject({ ok: true })
  })

  test('a call that nobody had answered is not restored: its caller rings anew', async () => {
    const alice = connect('alice')
    connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    hub = startHub()
    const [back, bob] = [alice.again(), connect('bob')]
    expect(await back.resume()).toMatchObject({ error: { code: 'call-not-found' } })
    await back.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    expect(await bob.ask('call.accept', { call: 'c1', media: MEDIA })).toMatchObject({ ok: true })
  })

  test('an ended call is not brought back by a late ticket', async () => {
    const { alice, bob } = await callOfTwo()
    hub = startHub()
    const back = alice.again()
    await back.resume()
    await back.ask('call.hangup', { call: 'c1' })
    env.advance(limits.sessionGraceMs)
    expect(hub.stats().calls).toBe(0)
    expect(await bob.again().resume()).toMatchObject({ error: { code: 'call-not-found' } })
  })
})

describe('[TICKET-8] what a device has seen of a call', () => {
  test('its ticket tells, too: no server that the call is restored on is behind it', async () => {
    const [alice] = await roomOfThree()
    const frames = alice?.socket.frames ?? []
    const moved = frames.findIndex(
      ({ type, data }) =>
        type === 'call.updated' && (data as { call: CallView }).call.topology.path === 'sfu',
    )
    const seen = frames.slice(0, moved).findLast(({ type }) => type === 'call.ticket')
    const { ticket } = seen?.data as { ticket: string }
    hub = startHub()
    const back = connect('alice')
    await back.ask('call.resume', { ticket })
    expect(back.view()?.topology).toEqual({ path: 'sfu', epoch: 1 })
  })
})

describe('[NODE-10] somebody who holds the call', () => {
  test('is held on the node, also where he opens his media there later', async () => {
    const [alice] = await roomOfThree()
    node.orders.length = 0
    const hold = { call: alice?.callId(), epoch: 1, peer: alice?.self() }
    await alice?.ask('call.hold', { call: hold.call, on: true })
    await alice?.ask('call.hold', { call: hold.call, on: false })
    const holds = node.orders.filter(({ type }) => type === 'peer.hold').map(({ data }) => data)
    expect(holds).toEqual([
      { ...hold, on: true },
      { ...hold, on: false },
    ])
  })
})

describe('without a crash', () => {
  test('a call that has ended stays so', async () => {
    const { alice, bob } = await callOfTwo()
    await bob.ask('call.hangup', { call: 'c1' })
    expect(await alice.resume()).toMatchObject({ error: { code: 'call-not-found' } })
  })

  test('[TICKET-5] a seat whose session ran out is taken again, under a new id', async () => {
    const [alice, bob] = await roomOfThree()
    bob?.drop()
    env.advance(limits.sessionGraceMs)
    expect(alice?.view()?.participants).toHaveLength(2)
    const answer = await bob?.again().resume()
    expect(answer).toMatchObject({ ok: true })
    expect(alice?.view()?.participants).toHaveLength(3)
    expect(alice?.view()?.participants.map(({ id }) => id)).not.toContain(bob?.self())
  })

  test('a seat that was given up is not taken again', async () => {
    const [, bob] = await roomOfThree()
    await bob?.ask('call.hangup', { call: bob.callId() })
    expect(await bob?.resume()).toMatchObject({ error: { code: 'not-in-call' } })
  })

  test('[TICKET-6] a reloaded page gets a fresh seat in place of its old one', async () => {
    const { alice, bob } = await callOfTwo()
    const old = bob.self()
    const answer = await bob.resume({ audio: true, video: false })
    expect(answer).toMatchObject({ ok: true })
    const seats = alice.view()?.participants
    expect(seats?.map(({ user }) => user)).toEqual(['alice', 'bob'])
    expect(seats?.[1]).toMatchObject({ connected: true, sending: { camera: false } })
    expect(seats?.[1]?.id).not.toBe(old)
    expect(alice.endReasons()).toEqual([])
  })

  test('[RELOAD-2] a page that goes away is shown as leaving, and has hung up if it does not come back', async () => {
    const { alice, bob } = await callOfTwo()
    await bob.ask('session.leaving', {})
    expect(alice.view()?.participants[1]).toMatchObject({ connected: false, leaving: true })
    bob.drop()
    env.advance(limits.reloadGraceMs - 1)
    expect(alice.endReasons()).toEqual([])
    env.advance(1)
    expect(alice.endReasons()).toEqual(['hangup'])
  })

  test('[RELOAD-2] a page that is back in time has its session and its seat', async () => {
    const { alice, bob } = await callOfTwo()
    await bob.ask('session.leaving', {})
    bob.drop()
    env.advance(limits.reloadGraceMs - 1)
    const back = bob.withSession()
    expect(alice.view()?.participants[1]).toMatchObject({ connected: true })
    expect(alice.view()?.participants[1]?.leaving).toBeUndefined()
    expect(await back.resume(MEDIA)).toMatchObject({ ok: true })
    env.advance(limits.sessionGraceMs)
    expect(alice.endReasons()).toEqual([])
  })

  test('a ticket of another device gives nothing', async () => {
    const { alice, bob } = await callOfTwo()
    expect(await bob.ask('call.resume', { ticket: alice.ticket() })).toMatchObject({
      error: { code: 'ticket-foreign', field: 'data.ticket' },
    })
    expect(await bob.ask('call.resume', { ticket: 'x' })).toMatchObject({
      error: { code: 'ticket-invalid' },
    })
  })
})

async function callOfTwo() {
  const alice = connect('alice')
  const bob = connect('bob')
  await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
  await bob.ask('call.accept', { call: 'c1', media: MEDIA })
  return { alice, bob }
}

/** The same person, in the seat that his ticket gives back. */
async function backIn(person: Person): Promise<Person> {
  const back = person.again()
  await back.resume()
  return back
}

async function roomOfThree() {
  const people = ['alice', 'bob', 'carol'].map((name) => connect(name))
  for (const person of people) {
    await person.ask('room.join', { room: 'standup', media: MEDIA, topology: 'auto' })
  }
  for (const person of people) await person.ask('call.ready', { call: person.callId(), epoch: 1 })
  return people
}

class Person extends TestPerson {
  readonly user: string
  readonly #kept: { ticket: string; call: CallView } | undefined

  constructor(user: string, from?: Person, resume?: ResumeRequest) {
    super(hub, { user, device: 'device' }, resume)
    this.user = user
    this.#kept = from && { ticket: from.ticket(), call: from.view() as CallView }
  }

  resume(fresh?: object): Promise<AnswerFrame> {
    return this.ask('call.resume', { ticket: this.ticket(), fresh })
  }

  drop(): void {
    hub.disconnected(this.session, this.socket, false)
  }

  /** The same device with the ticket that it has, on a new connection without its session. */
  again(): Person {
    return new Person(this.user, this)
  }

  /** The page after a reload: it has the session's key, but has heard nothing. */
  withSession(): Person {
    const { resumeKey } = this.welcome()
    const lastSeq = Number.MAX_SAFE_INTEGER
    return new Person(this.user, this, { session: this.session, key: resumeKey, lastSeq })
  }

  ticket(): string {
    const told = this.socket.heard('call.ticket').at(-1) as { ticket: string } | undefined
    return told?.ticket ?? this.#kept?.ticket ?? ''
  }

  override view(): CallView | undefined {
    return super.view() ?? this.#kept?.call
  }

  self() {
    return this.view()?.participants.find(({ user }) => user === this.user)?.id
  }

  callId() {
    return this.view()?.id
  }
}

function connect(user: string): Person {
  return new Person(user)
}

/** A signaling process that knows nothing: the same node and clock, no memory. */
function startHub(): Hub {
  return testHub({ env, node })
}
