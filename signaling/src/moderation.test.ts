import type { AnswerFrame, CallView, Grants } from '@parley/protocol'
import { limits } from '@parley/protocol'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Hub } from './hub.ts'
import { passWith, testHub, TestPerson } from './testing-hub.ts'
import { FakeSfuNode, ManualEnvironment } from './testing.ts'

const MEDIA = { audio: true, video: true }

let env: ManualEnvironment
let node: FakeSfuNode
let hub: Hub
let alice: Person
let bob: Person
let carol: Person

beforeEach(async () => {
  env = new ManualEnvironment()
  node = new FakeSfuNode()
  node.takesProducers = true
  hub = testHub({ env, node })
  alice = connect('alice', { host: true })
  bob = connect('bob')
  carol = connect('carol')
  await alice.join('standup')
})

describe('who moderates', () => {
  test('[MOD-1] whoever starts a call and has the grant "host", and nobody else', async () => {
    await bob.join('standup')
    expect(alice.view().participants.map((p) => p.moderator)).toEqual([true, undefined])
    expect(await bob.ask('call.lock', bob.call())).toMatchObject(refused('not-moderator'))
    expect(await alice.ask('call.lock', alice.call())).toMatchObject({ ok: true })
  })

  test('[MOD-1] whoever has the grant "moderate" there, whoever has started it', async () => {
    const dave = connect('dave', { moderate: ['stand*'] })
    await dave.join('standup')
    expect(await dave.ask('call.lock', dave.call())).toMatchObject({ ok: true })
    const erin = connect('erin', { moderate: ['other'] })
    expect(await erin.join('standup')).toMatchObject(refused('call-locked'))
  })

  test('[MOD-2] whom a moderator promotes, until he is demoted', async () => {
    await bob.join('standup')
    await alice.ask('call.promote', alice.about('bob'))
    expect(await bob.ask('call.lock', bob.call())).toMatchObject({ ok: true })
    await alice.ask('call.demote', alice.about('bob'))
    expect(await bob.ask('call.unlock', bob.call())).toMatchObject(refused('not-moderator'))
  })

  test('[MOD-2] whoever has it of his token is neither demoted nor removed', async () => {
    await connect('dave', { moderate: ['*'] }).join('standup')
    for (const type of ['call.demote', 'call.remove']) {
      expect(await alice.ask(type, alice.about('dave'))).toMatchObject(refused('not-permitted'))
    }
    expect(await alice.ask('call.remove', alice.about('alice'))).toMatchObject(
      refused('bad-request'),
    )
  })
})

describe('a locked call', () => {
  test('[LOCK-1] refuses newcomers, and takes in the moderators and who is in already', async () => {
    await bob.join('standup')
    await alice.ask('call.lock', alice.call())
    expect(await carol.join('standup')).toMatchObject({
      error: { code: 'call-locked', retryable: true },
    })
    expect(await connect('bob', {}, 'phone').join('standup')).toMatchObject({ ok: true })
    await alice.ask('call.unlock', alice.call())
    expect(await carol.join('standup')).toMatchObject({ ok: true })
  })

  test('[LOCK-2] lets only moderators ask people in', async () => {
    await bob.join('standup')
    await alice.ask('call.lock', alice.call())
    const invitation = { users: ['carol'], media: MEDIA }
    expect(await bob.ask('call.invite', { ...bob.call(), ...invitation })).toMatchObject(
      refused('call-locked'),
    )
    await alice.ask('call.invite', { ...alice.call(), ...invitation })
    const answer = await carol.ask('call.accept', { ...alice.call(), media: MEDIA })
    expect(answer).toMatchObject({ ok: true })
  })
})

describe('the lobby', () => {
  beforeEach(async () => {
    await alice.ask('call.lobby', { ...alice.call(), on: true })
  })

  test('[LOBBY-1] holds newcomers, who see nothing, and shows them to moderators', async () => {
    const answer = await bob.join('standup')
    expect(answer).toEqual({
      ok: true,
      data: { waiting: { call: alice.call().call, room: 'standup' } },
    })
    expect(alice.view().waiting).toMatchObject([{ user: 'bob', device: 'laptop' }])
    expect(bob.socket.frames.map(({ type }) => type)).not.toContain('call.updated')
    const open = { ...alice.call(), epoch: 1 }
    expect(await bob.ask('sfu.open', open)).toMatchObject(refused('not-in-call'))
  })

  test('[LOBBY-2] seats who is let in, with a ticket of his own', async () => {
    await bob.join('standup')
    expect(await alice.ask('call.admit', { ...alice.call(), user: 'bob' })).toMatchObject({
      ok: true,
    })
    const [admitted] = bob.socket.heard('call.admitted') as { call: CallView }[]
    expect(admitted?.call.participants.map((p) => p.user)).toEqual(['alice', 'bob'])
    expect(bob.socket.heard('call.ticket')).not.toEqual([])
    expect(alice.view().waiting).toBeUndefined()
    const again = await alice.ask('call.admit', { ...alice.call(), user: 'bob' })
    expect(again).toMatchObject(refused('not-waiting'))
  })

  test('[LOBBY-2] ends as denied for who is sent away', async () => {
    await bob.join('standup')
    await alice.ask('call.deny', { ...alice.call(), user: 'bob' })
    expect(bob.socket.heard('call.ended')).toMatchObject([{ reason: 'denied' }])
    expect(alice.view().waiting).toBeUndefined()
  })

  test('[LOBBY-3] forgets who hangs up, and whose session ends', async () => {
    await bob.join('standup')
    await carol.join('standup')
    await bob.ask('call.hangup', alice.call())
    expect(alice.view().waiting).toMatchObject([{ user: 'carol' }])
    hub.disconnected(carol.session, carol.socket, false)
    expect(alice.view().waiting).toMatchObject([{ user: 'carol' }])
    env.advance(limits.sessionGraceMs)
    expect(alice.view().waiting).toBeUndefined()
  })

  test('[LOBBY-4] lets in all who wait when it is given up, but not whom a moderator removed', async () => {
    await bob.join('standup')
    await alice.ask('call.admit', { ...alice.call(), user: 'bob' })
    await alice.ask('call.remove', alice.about('bob'))
    await bob.join('standup')
    await carol.join('standup')
    await alice.ask('call.lobby', { ...alice.call(), on: false })
    expect(alice.view().participants.map((p) => p.user)).toEqual(['alice', 'carol'])
    expect(alice.view().waiting).toMatchObject([{ user: 'bob' }])
  })

  test('[LOBBY-5] is asked again for the same call only', async () => {
    const knock = { room: 'standup', media: MEDIA, topology: 'auto' }
    expect(await bob.ask('room.join', { ...knock, call: 'another' })).toMatchObject(
      refused('call-not-found'),
    )
    const { call } = alice.call()
    expect(await bob.ask('room.join', { ...knock, call })).toMatchObject({ data: { waiting: {} } })
    await bob.ask('room.join', { ...knock, call })
    expect(alice.view().waiting).toHaveLength(1)
  })
})

describe('who is removed', () => {
  test('[REMOVE-1] hears so, and waits when he comes back, lobby or not', async () => {
    await bob.join('standup')
    await alice.ask('call.remove', alice.about('bob'))
    expect(bob.socket.heard('call.ended')).toMatchObject([{ reason: 'removed' }])
    expect(alice.view().participants.map((p) => p.user)).toEqual(['alice'])
    expect(await bob.join('standup')).toMatchObject({ data: { waiting: {} } })
  })

  test('[REMOVE-2] does not get his seat back by his ticket, also after a crash of the server', async () => {
    await bob.join('standup')
    const ticket = bob.ticket()
    await alice.ask('call.remove', alice.about('bob'))
    expect(await bob.ask('call.resume', { ticket })).toMatchObject(refused('not-in-call'))
    const newest = alice.ticket()
    hub = testHub({ env, node })
    alice = connect('alice', { host: true })
    bob = connect('bob')
    await bob.ask('call.resume', { ticket, fresh: MEDIA })
    await alice.ask('call.resume', { ticket: newest })
    expect(alice.view().participants.map((p) => p.user)).toEqual(['alice'])
    expect(await bob.join('standup')).toMatchObject({ data: { waiting: {} } })
  })

  test('[REMOVE-3] is asked in by moderators only', async () => {
    await bob.join('standup')
    await carol.join('standup')
    await alice.ask('call.remove', alice.about('bob'))
    const invitation = { users: ['bob'], media: MEDIA }
    expect(await carol.ask('call.invite', { ...alice.call(), ...invitation })).toMatchObject(
      refused('not-moderator'),
    )
    await alice.ask('call.invite', { ...alice.call(), ...invitation })
    const answer = await bob.ask('call.accept', { ...alice.call(), media: MEDIA })
    expect(answer).toMatchObject({ ok: true })
  })
})

describe('muting', () => {
  const microphone = { sources: ['microphone'] }

  test('[MUTE-1] asks, and changes nothing by itself', async () => {
    await bob.join('standup')
    await alice.ask('call.mute', { ...alice.about('bob'), ...microphone })
    expect(bob.socket.heard('call.mute-requested')).toEqual([
      { ...alice.call(), sources: ['microphone'], by: 'alice' },
    ])
    expect(alice.view().participants[1]?.sending.microphone).toBe(true)
  })

  test('[MUTE-2] by force has the node stop the stream, and keeps it so', async () => {
    await bob.join('standup')
    await bob.ask('call.escalate', bob.call())
    const produce = { ...bob.call(), epoch: 1, transport: 't', rtpParameters: {}, paused: false }
    await bob.ask('sfu.produce', { ...produce, source: 'microphone' })
    await alice.ask('call.mute', { ...alice.about('bob'), ...microphone, force: true })
    expect(bob.socket.heard('call.muted')).toMatchObject([
      { sources: ['microphone'], reason: 'moderator', by: 'alice' },
    ])
    expect(node.orders.at(-1)).toMatchObject({
      type: 'producer.pause',
      data: { producer: 'producer-1', paused: true },
    })
    const resume = { ...bob.call(), epoch: 1, producer: 'producer-1', paused: false }
    expect(await bob.ask('sfu.pause', resume)).toMatchObject(refused('silenced'))
    await bob.ask('sfu.produce', { ...produce, source: 'microphone' })
    expect(node.orders.at(-1)).toMatchObject({ type: 'producer.open', data: { paused: true } })
    const [, seat] = alice.view().participants
    expect(seat).toMatchObject({ silenced: ['microphone'], sending: { microphone: false } })
    expect(seat?.publications).toMatchObject([{ source: 'microphone', paused: true }])
  })

  test('[MUTE-3] by force outlives hanging up, and ends with call.unmute', async () => {
    await bob.join('standup')
    await alice.ask('call.mute', { ...alice.about('bob'), ...microphone, force: true })
    await bob.ask('call.hangup', bob.call())
    await bob.join('standup')
    expect(alice.view().participants[1]?.silenced).toEqual(['microphone'])
    await alice.ask('call.unmute', { ...alice.about('bob'), ...microphone })
    expect(alice.view().participants[1]?.silenced).toBeUndefined()
  })
})

test('[MERGE-1] a room takes in nobody from another call whom it would not let in by himself', async () => {
  const dave = connect('dave', { rooms: ['other'] })
  await bob.join('standup')
  await alice.ask('call.start', { call: 'c1', users: ['dave'], media: MEDIA })
  await dave.ask('call.accept', { call: 'c1', media: MEDIA })
  const into = { call: 'c1', into: bob.call().call }
  expect(await alice.ask('call.merge', into)).toMatchObject(refused('not-permitted'))
  hub.disconnected(dave.session, dave.socket, true)
  await alice.ask('call.start', { call: 'c2', users: ['carol'], media: MEDIA })
  await carol.ask('call.accept', { call: 'c2', media: MEDIA })
  expect(await alice.ask('call.merge', { ...into, call: 'c2' })).toMatchObject({ ok: true })
})

test('[MOD-3] a call brought back by tickets has its policy and its moderators again', async () => {
  await bob.join('standup')
  await alice.ask('call.promote', alice.about('bob'))
  await alice.ask('call.lobby', { ...alice.call(), on: true })
  await alice.ask('call.lock', alice.call())
  const ticket = bob.ticket()
  hub = testHub({ env, node })
  bob = connect('bob')
  await bob.ask('call.resume', { ticket })
  expect(await connect('carol').join('standup')).toMatchObject(refused('call-locked'))
  expect(await bob.ask('call.unlock', bob.call())).toMatchObject({ ok: true })
  expect(await connect('carol').join('standup')).toMatchObject({ data: { waiting: bob.call() } })
})

function refused(code: string) {
  return { ok: false, error: { code } }
}

function connect(user: string, grants: Partial<Grants> = {}, device = 'laptop'): Person {
  return new Person(hub, { user, device, pass: passWith(grants) })
}

class Person extends TestPerson {
  join(room: string): Promise<AnswerFrame> {
    return this.ask('room.join', { room, media: MEDIA, topology: 'auto' })
  }

  /** The room as it was last shown. */
  override view(): CallView {
    const views = this.socket.heard('call.updated') as { call: CallView }[]
    const last = views.findLast(({ call }) => call.room === 'standup')
    if (!last) throw new Error('no room was shown')
    return last.call
  }

  call(): { readonly call: string } {
    return { call: this.view().id }
  }

  about(user: string): { readonly call: string; readonly participant: string } {
    const seat = this.view().participants.find((p) => p.user === user)
    return { ...this.call(), participant: seat?.id ?? '' }
  }

  ticket(): string {
    return (this.socket.heard('call.ticket').at(-1) as { ticket: string }).ticket
  }
}
