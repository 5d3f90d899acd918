import type { CallView } from '@parley/protocol'
import { limits, MOVE_DEADLINE_MS } from '@parley/protocol'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Hub } from './hub.ts'
import { RING_TIMEOUT_MS, testHub, TestPerson } from './testing-hub.ts'
import type { Arrival } from './testing-hub.ts'
import { ManualEnvironment } from './testing.ts'

const MEDIA = { audio: true, video: true }

let env: ManualEnvironment
let hub: Hub

beforeEach(() => {
  env = new ManualEnvironment()
  hub = testHub({ env })
})

describe('two who ring each other', () => {
  test('[RING-9] are in the call that came first, both', async () => {
    const [alice, bob] = [connect('alice'), connect('bob')]
    await alice.ask('call.start', { call: 'first', users: ['bob'], media: MEDIA })
    const second = await bob.ask('call.start', { call: 'second', users: ['alice'], media: MEDIA })
    expect(second).toMatchObject({
      ok: true,
      data: { call: { id: 'first', answered: true, participants: [{}, {}] } },
    })
    expect(alice.view('first')?.participants.map(({ user }) => user)).toEqual(['alice', 'bob'])
    expect([alice.endReasons(), bob.endReasons()]).toEqual([[], []])
    expect(hub.stats().calls).toBe(1)
  })

  test('[RING-9] do so from one device of several; the others hear that it was answered', async () => {
    const [alice, phone, laptop] = [connect('alice'), connect('bob', 'phone'), connect('bob', 'pc')]
    await alice.ask('call.start', { call: 'first', users: ['bob'], media: MEDIA })
    await phone.ask('call.start', { call: 'second', users: ['alice'], media: MEDIA })
    expect(laptop.endReasons()).toEqual(['answered-elsewhere'])
  })

  test('[RING-9] keep calls apart that ring others as well', async () => {
    const [alice, bob, carol] = [connect('alice'), connect('bob'), connect('carol')]
    await alice.ask('call.start', { call: 'first', users: ['bob'], media: MEDIA })
    await bob.ask('call.start', { call: 'second', users: ['alice', 'carol'], media: MEDIA })
    expect(carol.socket.heard('call.incoming')).toHaveLength(1)
    expect(hub.stats().calls).toBe(2)
  })
})

describe('calling again', () => {
  test('[RING-10] from the same device takes the place of the call that he has left', async () => {
    const [alice, bob] = await talking()
    await bob.ask('call.start', { call: 'again', users: ['alice'], media: MEDIA })
    expect(alice.endReasons()).toEqual(['superseded'])
    expect(alice.socket.heard('call.incoming')).toMatchObject([{ call: { id: 'again' } }])
  })

  test('[RING-10] from another device does so once the old one is away', async () => {
    const [alice, bob] = await talking()
    hub.disconnected(bob.session, bob.socket, false)
    const reloaded = connect('bob', 'another-tab')
    await reloaded.ask('call.start', { call: 'again', users: ['alice'], media: MEDIA })
    expect(alice.endReasons()).toEqual(['superseded'])
    await alice.ask('call.accept', { call: 'again', media: MEDIA })
    expect(alice.view('again')?.participants).toHaveLength(2)
  })

  test('[RING-10] from a second device beside the first one waits like any other call', async () => {
    const [alice] = await talking()
    const tablet = connect('bob', 'tablet')
    await tablet.ask('call.start', { call: 'again', users: ['alice'], media: MEDIA })
    expect(alice.endReasons()).toEqual([])
    expect(alice.socket.heard('call.incoming')).toHaveLength(1)
  })
})

describe('ringing that comes to nothing', () => {
  test('[RING-11] accepting what was cancelled is refused', async () => {
    const [alice, bob] = [connect('alice'), connect('bob')]
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    await alice.ask('call.hangup', { call: 'c1' })
    expect(bob.endReasons()).toEqual(['cancelled'])
    const answer = await bob.ask('call.accept', { call: 'c1', media: MEDIA })
    expect(answer).toMatchObject({ ok: false, error: { code: 'call-not-found' } })
  })

  test('[RING-12] a caller who is lost for good stops ringing', async () => {
    const [alice, bob] = [connect('alice'), connect('bob')]
    await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
    hub.disconnected(alice.session, alice.socket, false)
    expect(bob.endReasons()).toEqual([])
    env.advance(limits.sessionGraceMs)
    expect(bob.endReasons()).toEqual(['cancelled'])
  })

  test('[RING-13] an invitation that is taken back stops ringing', async () => {
    const [alice, bob] = await talking()
    const carol = connect('carol')
    await alice.ask('call.invite', { call: 'c1', users: ['carol'], media: MEDIA })
    await alice.ask('call.uninvite', { call: 'c1', user: 'carol' })
    expect(carol.endReasons()).toEqual(['cancelled'])
    expect(bob.view('c1')?.invites).toEqual([])
  })
})

describe('a second call', () => {
  test('[WAIT-1] puts the first one on hold when it is answered, and can end it instead', async () => {
    const [alice, bob] = await talking()
    const [carol, dave] = [connect('carol'), connect('dave')]
    await carol.ask('call.start', { call: 'c2', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c2', media: MEDIA })
    expect(alice.view('c1')?.participants).toMatchObject([
      { user: 'alice', onHold: false },
      { user: 'bob', onHold: true, sending: { microphone: false, camera: false } },
    ])
    await dave.ask('call.start', { call: 'c3', users: ['bob'], media: MEDIA })
    await bob.ask('call.accept', { call: 'c3', media: MEDIA, others: 'end' })
    expect([alice.endReasons(), carol.endReasons()]).toEqual([['hangup'], ['hangup']])
    expect(dave.view('c3')?.participants).toHaveLength(2)
  })

  test('[HOLD-2] taking one up holds the other', async () => {
    const [alice, bob] = await talking()
    const carol = connect('carol')
    await bob.ask('call.start', { call: 'c2', users: ['carol'], media: MEDIA })
    await carol.ask('call.accept', { call: 'c2', media: MEDIA })
    await bob.ask('call.hold', { call: 'c1', on: false })
    expect(holders(alice.view('c1'))).toEqual([])
    expect(holders(carol.view('c2'))).toEqual(['bob'])
    expect(alice.view('c1')?.participants[1]?.sending.microphone).toBe(true)
  })

  test('[WAIT-1] one more than a device may have is refused', async () => {
    const alice = connect('alice')
    for (let n = 0; n < limits.callsPerDevice; n++) {
      const room = { room: `room-${n}`, media: MEDIA, topology: 'auto' }
      expect(await alice.ask('room.join', room)).toMatchObject({ ok: true })
    }
    const answer = await alice.ask('room.join', { room: 'more', media: MEDIA, topology: 'auto' })
    expect(answer).toMatchObject({
      error: { code: 'too-many-calls', limit: limits.callsPerDevice },
    })
  })

  test('[RING-6] [WAIT-2] rings where it is wanted, and somebody is busy only on all devices', async () => {
    const [, bob] = await talking()
    const carol = connect('carol')
    await bob.ask('device.prefer', { callWaiting: 'busy' })
    await carol.ask('call.start', { call: 'c2', users: ['bob'], media: MEDIA })
    expect(carol.endReasons()).toEqual(['busy'])
    const tablet = connect('bob', 'tablet')
    await carol.ask('call.start', { call: 'c3', users: ['bob'], media: MEDIA })
    expect(tablet.socket.heard('call.incoming')).toHaveLength(1)
    expect(bob.socket.heard('call.incoming')).toHaveLength(1)
  })
})

describe('a place in a call', () => {
  test('[TRANSFER-1] is given to somebody else when he accepts', async () => {
    const [alice, bob] = await talking()
    const carol = connect('carol')
    await alice.ask('call.transfer', { call: 'c1', to: 'carol' })
    const seat = alice.seat('c1')
    expect(carol.socket.heard('call.incoming')).toMatchObject([
      { from: 'bob', offer: { by: seat, how: 'transferred' } },
    ])
    expect(alice.endReasons()).toEqual([])
    await carol.ask('call.accept', { call: 'c1', media: MEDIA })
    expect(alice.endReasons()).toEqual(['transferred'])
    expect(bob.view('c1')?.participants.map(({ user }) => user)).toEqual(['bob', 'carol'])
    // Never three: the two go on talking directly.
    expect(bob.view('c1')?.topology).toEqual({ path: 'p2p', epoch: 0 })
  })

  test.each([
    ['declined', 0],
    ['no-answer', RING_TIMEOUT_MS],
  ])('[TRANSFER-2] stays with who has it when it is %s', async (outcome, waitMs) => {
    const [alice, bob] = await talking()
    const carol = connect('carol')
    await alice.ask('call.transfer', { call: 'c1', to: 'carol' })
    env.advance(waitMs)
    if (outcome === 'declined') await carol.ask('call.decline', { call: 'c1' })
    expect(alice.view('c1')?.invites).toMatchObject([{ user: 'carol', state: outcome }])
    expect([alice.endReasons(), bob.endReasons()]).toEqual([[], []])
    expect(await alice.ask('call.transfer', { call: 'c1', to: 'carol' })).toMatchObject({
      ok: true,
    })
  })

  test('[TRANSFER-4] is given to one at a time, and not before there is company', async () => {
    const [alice] = await talking()
    const carol = connect('carol')
    await alice.ask('call.transfer', { call: 'c1', to: 'carol' })
    const twice = await alice.ask('call.transfer', { call: 'c1', to: 'carol' })
    expect(twice).toMatchObject({ error: { code: 'hand-over-pending' } })
    await carol.ask('call.start', { call: 'c2', users: ['alice'], media: MEDIA })
    const early = await carol.ask('call.transfer', { call: 'c2', to: 'bob' })
    expect(early).toMatchObject({ error: { code: 'not-answered' } })
  })

  test('[TRANSFER-3] two calls of one person become one without him', async () => {
    const [alice, bob] = await talking()
    const carol = connect('carol')
    await alice.ask('call.start', { call: 'c2', users: ['carol'], media: MEDIA })
    await carol.ask('call.accept', { call: 'c2', media: MEDIA })
    await alice.ask('call.merge', { call: 'c1', into: 'c2' })
    expect(alice.endReasons()).toEqual(['transferred', 'transferred'])
    expect(bob.socket.heard('call.transferred')).toMatchObject([{ from: 'c1', call: { id: 'c2' } }])
    for (const one of [bob, carol]) {
      expect(one.view('c2')?.participants.map(({ user }) => user)).toEqual(['carol', 'bob'])
      expect(one.endReasons()).toEqual([])
    }
    expect(hub.stats().calls).toBe(1)
  })

  test('[JOIN-1] is for who was asked, or is there with another device', async () => {
    const [alice] = await talking()
    const [mallory, carol] = [connect('mallory'), connect('carol')]
    expect(await mallory.ask('call.join', { call: 'c1', media: MEDIA })).toMatchObject({
      error: { code: 'not-invited' },
    })
    await alice.ask('call.invite', { call: 'c1', users: ['carol'], media: MEDIA })
    await carol.ask('call.decline', { call: 'c1' })
    expect(await carol.ask('call.join', { call: 'c1', media: MEDIA })).toMatchObject({ ok: true })
    expect(alice.view('c1')?.participants).toHaveLength(3)
  })

  test('[JOIN-2] [MOVE-1] is seen from another device, and moves there once it has its media', async () => {
    const [alice, bob] = await talking()
    const tablet = connect('bob', 'tablet')
    expect(tablet.socket.heard('call.elsewhere')).toMatchObject([{ call: { id: 'c1' } }])
    const replaces = bob.seat('c1')
    await tablet.ask('call.join', { call: 'c1', media: MEDIA, replaces })
    expect(bob.endReasons()).toEqual([])
    expect(alice.view('c1')?.participants).toMatchObject([{}, {}, { replaces }])
    await tablet.ask('call.settle', { call: 'c1' })
    expect(bob.endReasons()).toEqual(['moved'])
    expect(alice.view('c1')?.participants.map(({ device }) => device)).toEqual(['device', 'tablet'])
    expect(bob.socket.heard('call.elsewhere')).toHaveLength(1)
  })

  test('[MOVE-2] stays where it was when the new device does not get its media', async () => {
    const [alice, bob] = await talking()
    const tablet = connect('bob', 'tablet')
    await tablet.ask('call.join', { call: 'c1', media: MEDIA, replaces: bob.seat('c1') })
    env.advance(MOVE_DEADLINE_MS)
    expect([tablet.endReasons(), bob.endReasons()]).toEqual([['failed'], []])
    expect(alice.view('c1')?.participants).toHaveLength(2)
  })

  test('[MOVE-3] rings at the device that it is offered to, and only there', async () => {
    const [, bob] = await talking()
    const [tablet, desk] = [connect('bob', 'tablet'), connect('bob', 'desk')]
    const { data } = (await bob.ask('devices.connected', {})) as { data?: unknown }
    expect(data).toEqual({ devices: ['tablet', 'desk'] })
    await bob.ask('call.move', { call: 'c1', device: 'tablet' })
    expect(tablet.socket.heard('call.incoming')).toMatchObject([{ offer: { how: 'moved' } }])
    expect(desk.socket.heard('call.incoming')).toEqual([])
    await tablet.ask('call.accept', { call: 'c1', media: MEDIA })
    await tablet.ask('call.settle', { call: 'c1' })
    expect(bob.endReasons()).toEqual(['moved'])
  })

  test('[CALL-4] two devices of one person alone are no call', async () => {
    const [alice, bob] = await talking()
    const tablet = connect('bob', 'tablet')
    await tablet.ask('call.join', { call: 'c1', media: MEDIA })
    await alice.ask('call.hangup', { call: 'c1' })
    expect([bob.endReasons(), tablet.endReasons()]).toEqual([['hangup'], ['hangup']])
    expect(hub.stats().calls).toBe(0)
  })
})

async function talking(): Promise<[Person, Person]> {
  const [alice, bob] = [connect('alice'), connect('bob')]
  await alice.ask('call.start', { call: 'c1', users: ['bob'], media: MEDIA })
  await bob.ask('call.accept', { call: 'c1', media: MEDIA })
  return [alice, bob]
}

function holders(view: CallView | undefined): string[] {
  return view?.participants.filter(({ onHold }) => onHold).map(({ user }) => user) ?? []
}

class Person extends TestPerson {
  readonly at: Arrival

  constructor(at: Arrival) {
    super(hub, at)
    this.at = at
  }

  override view(call = 'c1'): CallView | undefined {
    const views = this.socket.heard('call.updated').map((data) => (data as { call: CallView }).call)
    return views.findLast(({ id }) => id === call)
  }

  seat(call: string): string | undefined {
    const { user, device } = this.at
    const isOwn = (p: Arrival) => p.user === user && p.device === device
    return this.view(call)?.participants.find(isOwn)?.id
  }
}

function connect(user: string, device = 'device'): Person {
  return new Person({ user, device })
}
