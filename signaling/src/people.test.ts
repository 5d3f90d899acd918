import type { MissedCall, Presence } from '@parley/protocol'
import { limits } from '@parley/protocol'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Hub } from './hub.ts'
import { plainPeople } from './people.ts'
import type { PeopleOptions } from './people.ts'
import type { Waker } from './ports.ts'
import { passWith, RING_TIMEOUT_MS, testHub, TestPerson } from './testing-hub.ts'
import { ManualEnvironment } from './testing.ts'

const MEDIA = { audio: true, video: true }
const DAY_MS = 24 * 60 * 60 * 1_000

let env: ManualEnvironment
let people: PeopleOptions
let hub: Hub

beforeEach(() => {
  env = new ManualEnvironment()
  people = plainPeople()
  hub = testHub({ env, people })
})

describe('somebody who is not there', () => {
  test('[WAKE-1] is woken, rings when his device comes, and answers', async () => {
    const wake = vi.fn<Waker['wake']>(() => Promise.resolve(true))
    hub = testHub({
      env,
      people: { ...people, waker: { ...people.waker, wakeable: everybody, wake } },
    })
    const alice = connect('alice')
    const started = await alice.ask('call.start', {
      call: 'c1',
      users: ['bob'],
      media: MEDIA,
      payload: 'c2VhbGVk',
    })
    expect(started).toMatchObject({ data: { call: { invites: [{ state: 'waking' }] } } })
    expect(wake.mock.calls[0]?.[0]).toMatchObject({
      call: 'c1',
      user: 'bob',
      invitation: { by: 'alice', payload: 'c2VhbGVk' },
    })
    env.advance(RING_TIMEOUT_MS - 1)
    const bob = connect('bob')
    expect(bob.socket.heard('call.incoming')).toMatchObject([
      { from: 'alice', media: MEDIA, payload: 'c2VhbGVk' },
    ])
    expect(alice.view()?.invites).toEqual([{ user: 'bob', state: 'ringing' }])
    env.advance(RING_TIMEOUT_MS - 1)
    expect(await bob.ask('call.accept', { call: 'c1', media: MEDIA })).toMatchObject({ ok: true })
    expect(alice.view()).toMatchObject({ answered: true })
    expect(await missedBy('bob', 'phone')).toEqual([])
  })

  test('[WAKE-2] and does not come has missed a call', async () => {
    hub = testHub({
      env,
      people: { ...people, waker: { ...people.waker, wakeable: everybody, wake: yes } },
    })
    const alice = connect('alice')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    env.advance(RING_TIMEOUT_MS)
    expect(alice.endReasons()).toEqual(['no-answer'])
    expect(await missedBy('bob')).toMatchObject([{ from: 'alice', reason: 'unreachable' }])
  })

  test('[WAKE-2] and whom nothing reaches is not waited for', async () => {
    hub = testHub({ env, people: { ...people, waker: { ...people.waker, wakeable: everybody } } })
    const alice = connect('alice')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await vi.waitFor(() => expect(alice.endReasons()).toEqual(['no-answer']))
  })

  test('[WAKE-4] and cannot be woken has missed a call all the same', async () => {
    const alice = connect('alice')
    const answer = await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    expect(answer).toMatchObject({ ok: false, error: { code: 'user-offline' } })
    expect(await missedBy('bob')).toMatchObject([{ call: 'c1', reason: 'unreachable' }])
  })

  test('[WAKE-3] whose second device comes while the first rings answers on it', async () => {
    const alice = connect('alice')
    const phone = connect('bob', 'phone')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    const laptop = connect('bob', 'laptop')
    await laptop.ask('call.accept', { call: 'c1', media: MEDIA })
    expect(phone.endReasons()).toEqual(['answered-elsewhere'])
  })
})

describe('a missed call', () => {
  test('[MISSED-1] is told to each device once, until the device has said so', async () => {
    const alice = connect('alice')
    const phone = connect('bob', 'phone')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await alice.ask('call.hangup', { call: 'c1' })
    const [missed] = await phone.missed()
    expect(missed).toMatchObject({ call: 'c1', from: 'alice', reason: 'cancelled', media: MEDIA })
    const again = connect('bob', 'phone')
    expect(await again.missed()).toEqual([missed])
    await again.ask('mailbox.ack', { seq: missed?.seq })
    expect(await missedBy('bob', 'phone')).toEqual([])
    expect(await missedBy('bob', 'laptop')).toEqual([missed])
  })

  test('[MISSED-2] is not left by who declines, answers, or is asked again while he rings', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await alice.ask('call.invite', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.decline', { call: 'c1' })
    await alice.ask('call.start', { call: 'c2', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c2', media: MEDIA })
    await alice.ask('call.hangup', { call: 'c2' })
    expect(await missedBy('bob', 'other')).toEqual([])
  })

  test('[MISSED-1] is left by who is busy and by who does not answer, with why', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    env.advance(RING_TIMEOUT_MS)
    await bob.ask('room.join', { room: 'r', media: MEDIA, topology: 'auto' })
    await bob.ask('device.prefer', { callWaiting: 'busy' })
    await alice.ask('call.start', { call: 'c2', users: ['bob'], media: MEDIA })
    const missed = await missedBy('bob', 'other')
    expect(missed.map(({ call, reason }) => [call, reason])).toEqual([
      ['c1', 'no-answer'],
      ['c2', 'busy'],
    ])
  })

  test('[MISSED-3] is forgotten after 30 days, and all but the last 100 at once', async () => {
    const alice = connect('alice')
    for (let i = 0; i < limits.missedCalls + 5; i++) {
      env.advance(1_000)
      await alice.ask('call.start', { call: `c${i}`, users: ['bob'], media: MEDIA })
    }
    const kept = await missedBy('bob')
    expect(kept).toHaveLength(limits.missedCalls)
    expect(kept[0]).toMatchObject({ call: 'c5' })
    env.advance(30 * DAY_MS)
    expect(await missedBy('bob')).toEqual([])
  })
})

describe('presence', () => {
  test('[PRESENCE-1] follows people as they come, call and go', async () => {
    const alice = connect('alice')
    tick()
    const answer = await alice.ask('presence.subscribe', {})
    expect(answer).toMatchObject({ data: { users: [{ user: 'alice', status: 'online' }] } })
    const bob = connect('bob')
    tick()
    await bob.ask('room.join', { room: 'r', media: MEDIA, topology: 'auto' })
    tick()
    hub.disconnected(bob.session, bob.socket, true)
    const goneAt = env.now()
    tick()
    expect(alice.presence().map(([one]) => one)).toEqual([
      { user: 'bob', status: 'online' },
      { user: 'bob', status: 'in-call' },
      { user: 'bob', status: 'offline', lastSeen: goneAt },
    ])
  })

  test('[PRESENCE-2] many changes at once are one event, and what changes back is none', async () => {
    const alice = connect('alice')
    await alice.ask('presence.subscribe', {})
    tick()
    const heard = alice.presence().length
    for (let i = 0; i < 20; i++) connect(`user${i}`)
    const flicker = connect('flicker')
    hub.disconnected(flicker.session, flicker.socket, true)
    tick()
    const [users, ...more] = alice.presence().slice(heard)
    expect(more).toEqual([])
    expect(users).toHaveLength(20)
  })

  test('[PRESENCE-3] only those are shown whom the app allows', async () => {
    const alice = connect('alice', 'device', ['bob', 'car*'])
    const answer = await alice.ask('presence.subscribe', { users: ['bob', 'mallory'] })
    expect(answer).toMatchObject({
      data: { users: [{ user: 'bob', status: 'offline' }], refused: ['mallory'] },
    })
    for (const name of ['bob', 'carol', 'mallory']) connect(name)
    tick()
    expect(alice.presence()).toEqual([[{ user: 'bob', status: 'online' }]])
    const all = await alice.ask('presence.subscribe', {})
    expect(all.ok && (all.data as { users: Presence[] }).users.map(({ user }) => user)).toEqual([
      ...['bob', 'carol'],
    ])
    for (const name of ['dave', 'cargo']) connect(name)
    tick()
    expect(alice.presence().slice(1)).toEqual([[{ user: 'cargo', status: 'online' }]])
  })

  test('[PRESENCE-4] away on all devices is away; invisible on one is not there', async () => {
    const alice = connect('alice')
    await alice.ask('presence.subscribe', { users: ['bob'] })
    const phone = connect('bob', 'phone')
    const laptop = connect('bob', 'laptop')
    tick()
    await phone.ask('presence.set', { status: 'away' })
    tick()
    await laptop.ask('presence.set', { status: 'away' })
    tick()
    await laptop.ask('presence.set', { status: 'invisible' })
    const hiddenAt = env.now()
    tick()
    await laptop.ask('room.join', { room: 'r', media: MEDIA, topology: 'auto' })
    tick()
    env.advance(5_000)
    for (const { session, socket } of [phone, laptop]) hub.disconnected(session, socket, true)
    tick()
    expect(alice.presence().flat()).toEqual([
      { user: 'bob', status: 'online' },
      { user: 'bob', status: 'away' },
      { user: 'bob', status: 'offline', lastSeen: hiddenAt },
    ])
    // When an invisible person leaves is nobody's business either.
    expect(await alice.ask('presence.subscribe', { users: ['bob'] })).toMatchObject({
      data: { users: [{ user: 'bob', status: 'offline', lastSeen: hiddenAt }] },
    })
  })

  test('[PRESENCE-5] ends with the subscription', async () => {
    const alice = connect('alice')
    await alice.ask('presence.subscribe', { users: ['bob'] })
    await alice.ask('presence.unsubscribe', {})
    connect('bob')
    tick()
    expect(alice.presence()).toEqual([])
  })
})

describe('in a call', () => {
  test('[MSG-1] a message goes to all others, or to one, in order', async () => {
    const [alice, bob, carol] = await room('alice', 'bob', 'carol')
    const view = alice.view()
    const seat = (name: string) => view?.participants.find(({ user }) => user === name)?.id
    await alice.ask('call.send', { call: view?.id, message: { text: 'one' } })
    await alice.ask('call.send', { call: view?.id, to: seat('bob'), message: { bytes: 'AAEC' } })
    const sealed = { sealed: 'c2VhbGVk', generation: 0 }
    await alice.ask('call.send', { call: view?.id, message: { text: 'three' } })
    await alice.ask('call.send', { call: view?.id, message: sealed })
    const base = { call: view?.id, from: seat('alice') }
    expect(bob.socket.heard('call.message')).toEqual([
      { ...base, direct: false, message: { text: 'one' } },
      { ...base, direct: true, message: { bytes: 'AAEC' } },
      { ...base, direct: false, message: { text: 'three' } },
      { ...base, direct: false, message: sealed },
    ])
    expect(carol.socket.heard('call.message')).toHaveLength(3)
    expect(alice.socket.heard('call.message')).toEqual([])
  })

  test('[MSG-2] too many or too large messages are refused, with the limit', async () => {
    const [alice, bob] = await room('alice', 'bob')
    const call = alice.view()?.id
    const long = { text: 'x'.repeat(limits.messageLength + 1) }
    const sealed = { sealed: 'x'.repeat(limits.sealedMessageLength + 1), generation: 0 }
    for (const message of [long, sealed]) {
      expect(await alice.ask('call.send', { call, message })).toMatchObject({
        error: { code: 'bad-request' },
      })
    }
    const answers = []
    for (let i = 0; i <= limits.messageBurst; i++) {
      answers.push(await alice.ask('call.react', { call, reaction: '👍' }))
    }
    expect(answers.at(-1)).toMatchObject({
      error: { code: 'rate-limited', limit: limits.messagesPerSecond },
    })
    expect(bob.socket.heard('call.reaction')).toHaveLength(limits.messageBurst)
  })

  test('[MSG-3] strangers say nothing, and nobody says anything to who is not there', async () => {
    const [alice] = await room('alice', 'bob')
    const mallory = connect('mallory')
    const call = alice.view()?.id
    for (const [type, data] of [
      ['call.send', { call, message: { text: 'x' } }],
      ['call.react', { call, reaction: 'x' }],
      ['call.hand', { call, raised: true }],
    ] as const) {
      expect(await mallory.ask(type, data)).toMatchObject({ error: { code: 'not-in-call' } })
    }
    expect(
      await alice.ask('call.send', { call, to: 'nobody', message: { text: 'x' } }),
    ).toMatchObject({ error: { code: 'no-such-participant' } })
  })

  test('[HAND-1] raised hands stand in the call, in their order', async () => {
    const [alice, bob] = await room('alice', 'bob')
    const call = alice.view()?.id
    await bob.ask('call.hand', { call, raised: true })
    const raisedAt = env.now()
    env.advance(1_000)
    await bob.ask('call.hand', { call, raised: true })
    await alice.ask('call.hand', { call, raised: true })
    const hands = () => alice.view()?.participants.map(({ handRaisedAt }) => handRaisedAt)
    expect(hands()).toEqual([raisedAt + 1_000, raisedAt])
    await bob.ask('call.hand', { call, raised: false })
    expect(hands()).toEqual([raisedAt + 1_000, undefined])
  })
})

const everybody: Waker['wakeable'] = (users) => Promise.resolve(new Set(users))
const yes: Waker['wake'] = () => Promise.resolve(true)

/** Lets what is gathered be told. */
function tick(): void {
  env.advance(limits.presenceTickMs)
}

async function room(...names: [string, string, ...string[]]) {
  const everyone = names.map((name) => connect(name))
  for (const person of everyone) {
    await person.ask('room.join', { room: 'r', media: MEDIA, topology: 'auto' })
  }
  return everyone as [Person, Person, Person]
}

/** What a device that has just come is told. */
async function missedBy(user: string, device = 'device'): Promise<readonly MissedCall[]> {
  const unseen = await people.mailbox.unseen(user as never, device as never, env.now())
  return unseen.ok ? unseen.data : []
}

class Person extends TestPerson {
  presence(): (readonly Presence[])[] {
    return this.socket.heard('presence').map((data) => (data as { users: Presence[] }).users)
  }

  async missed(): Promise<readonly MissedCall[]> {
    await vi.waitFor(() => expect(this.socket.heard('mailbox.missed')).not.toEqual([]))
    return this.socket
      .heard('mailbox.missed')
      .flatMap((data) => (data as { missed: MissedCall[] }).missed)
  }
}

function connect(user: string, device = 'device', presence = ['*']): Person {
  return new Person(hub, { user, device, pass: passWith({ presence }) })
}
