import type { CallView } from '@parley/protocol'
import { limits } from '@parley/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ResumeRequest } from './directory.ts'
import type { Hub } from './hub.ts'
import { RING_TIMEOUT_MS, testHub, TestPerson } from './testing-hub.ts'
import { FakeSfuNode, ManualEnvironment } from './testing.ts'

const MEDIA = { audio: true, video: true }

let env: ManualEnvironment
let node: FakeSfuNode
let hub: Hub

beforeEach(() => {
  env = new ManualEnvironment()
  node = new FakeSfuNode()
  hub = testHub({ env, node })
})

describe('a call between two', () => {
  test('[RING-1] rings, is answered, and ends for both', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    const started = await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    expect(started).toMatchObject({ ok: true, data: { call: { id: 'c1', answered: false } } })
    expect(bob.socket.heard('call.incoming')).toMatchObject([{ from: 'alice', media: MEDIA }])
    expect(await bob.ask('call.accept', { call: 'c1', media: MEDIA })).toMatchObject({ ok: true })
    expect(alice.view()).toMatchObject({ answered: true, participants: [{}, {}] })
    await bob.ask('call.hangup', { call: 'c1' })
    expect(alice.endReasons()).toEqual(['hangup'])
    expect(bob.endReasons()).toEqual(['hangup'])
    expect(hub.stats().calls).toBe(0)
  })

  test('[RING-5] is not answered in time', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    env.advance(RING_TIMEOUT_MS - 1)
    expect(bob.endReasons()).toEqual([])
    env.advance(1)
    expect(alice.endReasons()).toEqual(['no-answer'])
    expect(bob.endReasons()).toEqual(['no-answer'])
  })

  test('[RING-2] the slower device learns that another one answered', async () => {
    const alice = connect('alice')
    const phone = connect('bob', 'phone')
    const laptop = connect('bob', 'laptop')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await phone.ask('call.accept', { call: 'c1', media: MEDIA })
    expect(laptop.endReasons()).toEqual(['answered-elsewhere'])
    expect(await laptop.ask('call.accept', { call: 'c1', media: MEDIA })).toMatchObject({
      ok: false,
      error: { code: 'answered-elsewhere' },
    })
  })

  test('[RING-6] somebody who is in a call and does not want a second one is busy', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    await bob.ask('device.prefer', { callWaiting: 'busy' })
    await bob.ask('room.join', { room: 'standup', media: MEDIA, topology: 'auto' })
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    expect(alice.endReasons()).toEqual(['busy'])
  })
})

describe('[PATH-2] a third person', () => {
  test('starts a switch to the SFU, and a lost room starts another', async () => {
    const people = ['alice', 'bob', 'carol'].map((name) => connect(name))
    const [alice, bob] = people
    for (const person of people) {
      await person.ask('room.join', { room: 'standup', media: MEDIA, topology: 'auto' })
    }
    const view = alice?.view()
    expect(view?.topology).toEqual({ path: 'p2p', epoch: 0, next: { path: 'sfu', epoch: 1 } })
    for (const person of [alice, bob]) await person?.ask('call.ready', { call: view?.id, epoch: 1 })
    expect(alice?.view()?.topology).toEqual({ path: 'sfu', epoch: 1 })
    // The room's id is the server's; the view has just shown it.
    const call = view?.id as CallView['id']
    node.emit({ type: 'room.lost', data: { call, epoch: 1 } })
    expect(alice?.view()?.topology.next).toEqual({ path: 'sfu', epoch: 2 })
  })
})

describe('a session', () => {
  test('[SESSION-1] whose socket comes back hears what it missed, once, in order', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    hub.disconnected(bob.session, bob.socket, false)
    env.advance(limits.sessionGraceMs - 1)
    await alice.ask('presence.subscribe', {})
    const lastSeq = bob.socket.frames.at(-1)?.seq ?? 0
    const back = connect('bob', 'device', {
      session: bob.session,
      key: bob.welcome().resumeKey,
      lastSeq,
    })
    expect(back.welcome()).toMatchObject({ resumed: 'replayed', session: bob.session })
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    hub.disconnected(bob.session, back.socket, false)
    await alice.ask('call.hangup', { call: 'c1' })
    const seen = back.socket.frames.at(-1)?.seq ?? 0
    const again = connect('bob', 'device', {
      session: bob.session,
      key: bob.welcome().resumeKey,
      lastSeq: seen,
    })
    expect(again.endReasons()).toEqual(['cancelled'])
    expect(again.socket.frames.slice(1).map(({ seq }) => seq)[0]).toBe(seen + 1)
  })

  test('[SESSION-2] that stays away ends its calls as failed', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    hub.disconnected(bob.session, bob.socket, false)
    expect(alice.view()?.participants[1]).toMatchObject({ user: 'bob', connected: false })
    env.advance(limits.sessionGraceMs)
    expect(alice.endReasons()).toEqual(['failed'])
  })

  test('[SESSION-3] is replaced by a newer connection of the same device', () => {
    const first = connect('alice', 'tab')
    const second = connect('alice', 'tab')
    expect(first.socket.heard('session.closed')).toEqual([{ code: 'session-replaced' }])
    expect(first.socket.closed).toBe(true)
    expect(second.socket.frames[0]?.type).toBe('welcome')
  })

  test('[SESSION-4] is not given to who cannot prove it', () => {
    const bob = connect('bob')
    const thief = connect('mallory', 'device', { session: bob.session, key: 'guess', lastSeq: 0 })
    expect(thief.welcome()).toMatchObject({ resumed: 'new', user: 'mallory' })
    expect(bob.socket.closed).toBe(false)
  })

  test('[SESSION-5] that missed too much gets its calls as they are', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    hub.disconnected(bob.session, bob.socket, false)
    for (let i = 0; i <= limits.replayEvents; i++) {
      env.advance(1_000 / limits.requestsPerSecond)
      const sending = { microphone: i % 2 === 0, camera: true, screen: false }
      await alice.ask('call.sending', { call: 'c1', sending })
    }
    const back = connect('bob', 'device', {
      session: bob.session,
      key: bob.welcome().resumeKey,
      lastSeq: 1,
    })
    expect(back.welcome()).toMatchObject({ resumed: 'snapshot', calls: [{ id: 'c1' }] })
  })
})

describe('a request', () => {
  test('[REQ-1] sent again with the same id is done once', async () => {
    const alice = connect('alice')
    const bob = connect('bob')
    const frame = {
      id: 'same',
      type: 'call.start',
      data: { call: 'c1', users: ['bob'], media: MEDIA },
    }
    const first = await hub.request(alice.session, frame, 100)
    expect(await hub.request(alice.session, frame, 100)).toEqual(first)
    expect(bob.socket.heard('call.incoming')).toHaveLength(1)
  })

  test.each([
    ['call-self', 'call.start', { call: 'c1', users: ['alice'], media: MEDIA }],
    ['user-offline', 'call.start', { call: 'c1', users: ['nobody'], media: MEDIA }],
    ['bad-request', 'room.join', { room: '../etc', media: MEDIA, topology: 'auto' }],
    ['bad-request', 'call.start', { call: 'c1', users: 'bob', media: MEDIA }],
    ['unknown-request', 'call.explode', {}],
    ['unknown-request', 'toString', {}],
    ['call-not-found', 'sfu.open', { call: 'c1', epoch: 1 }],
    ['call-not-found', 'call.hangup', { call: 'c1' }],
    ['not-ringing', 'call.decline', { call: 'c1' }],
  ])('[REQ-2] is refused with %s: %s', async (code, type, data) => {
    const alice = connect('alice')
    const answer = await alice.ask(type, data)
    expect(answer).toMatchObject({ ok: false, error: { code } })
  })

  test('[REQ-3] for media out of order is refused with media-order', async () => {
    const alice = connect('alice')
    const joined = await alice.ask('room.join', { room: 'r', media: MEDIA, topology: 'auto' })
    const call = joined.ok ? (joined.data as { call: CallView }).call.id : ''
    const answer = await alice.ask('sfu.consume', { call, epoch: 1, producer: 'p' })
    expect(answer).toMatchObject({ ok: false, error: { code: 'media-order' } })
  })

  test('[REQ-4] over the size limit is refused with the limit', async () => {
    const alice = connect('alice')
    const answer = await hub.request(alice.session, {}, limits.messageBytes + 1)
    expect(answer).toMatchObject({
      ok: false,
      error: { code: 'too-large', limit: limits.messageBytes },
    })
  })

  test('[REQ-5] too many of them are refused until time passes', async () => {
    const alice = connect('alice')
    const answers = []
    for (let i = 0; i <= limits.requestBurst; i++) answers.push(await alice.ask('ice.get', {}))
    expect(answers.at(-1)).toMatchObject({ ok: false, error: { code: 'rate-limited' } })
    env.advance(1_000)
    expect(await alice.ask('ice.get', {})).toMatchObject({ ok: true })
  })

  test('of any shape gets an answer and harms nobody else', async () => {
    const types = fc.constantFrom(
      'call.start',
      'call.accept',
      'room.join',
      'call.signal',
      'sfu.view',
      'sfu.produce',
      '__proto__',
    )
    const frames = fc.oneof(
      fc.anything(),
      fc.record({ id: fc.string(), type: types, data: fc.anything() }),
    )
    const bob = connect('bob')
    await fc.assert(
      fc.asyncProperty(frames, async (frame) => {
        env.advance(1_000)
        const mallory = connect('mallory')
        const answer = await hub.request(mallory.session, frame, 100)
        expect(answer).toHaveProperty('ok')
        expect(answer).not.toMatchObject({ error: { code: 'internal' } })
      }),
    )
    expect(await bob.ask('ice.get', {})).toMatchObject({ ok: true })
  })
})

function connect(user: string, device = 'device', resume?: ResumeRequest): TestPerson {
  return new TestPerson(hub, { user, device }, resume)
}
