import { expect, test } from 'vitest'
import { newCall } from './call-state.ts'
import type { Call, CallEvent, DeviceAddress } from './call-state.ts'
import { call } from './call.ts'
import { addresses, callId, device, producerId, seatOf, sendingAll, user } from './testing.ts'

const RING_MS = 45_000
const alice = at('alice', 'phone')
const aliceLaptop = at('alice', 'laptop')
const bob = at('bob', 'phone')
const bobLaptop = at('bob', 'laptop')
const carol = at('carol', 'phone')

/** Every state that a call can be in, as what has led to it. */
const histories = {
  alone: [joined(alice)],
  ringing: [joined(alice), invited('bob')],
  talking: [joined(alice), invited('bob'), accepted(bob)],
  held: [joined(alice), invited('bob'), accepted(bob), held(bob, true)],
  offered: [joined(alice), invited('bob'), accepted(bob), offered(alice, 'carol', 'transferred')],
  moving: [joined(alice), invited('bob'), accepted(bob), joined(bobLaptop, bob)],
  group: [joined(alice), invited('bob', 'carol'), accepted(bob), accepted(carol)],
  ended: [joined(alice), invited('bob'), { type: 'declined', at: bob }],
} as const satisfies Readonly<Record<string, readonly CallEvent[]>>
type StateName = keyof typeof histories

/** In which states each event changes anything. In the others it must leave the state as it is. */
const table: readonly (readonly [event: CallEvent, changes: readonly StateName[]])[] = [
  [joined(carol), ['alone', 'ringing', 'talking', 'held', 'offered', 'moving']],
  [
    joined(aliceLaptop, alice),
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [joined(alice), []],
  [{ type: 'deviceCame', at: at('bob', 'tablet'), deadline: 45_000 }, ['ringing']],
  [{ type: 'wakeFailed', user: user('bob') }, []],
  [
    { type: 'handMoved', participant: seatOf(alice), raised: true },
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [invited('bob'), ['alone']],
  [invited('carol'), ['alone', 'ringing', 'talking', 'held', 'moving']],
  [accepted(bob), ['ringing']],
  [accepted(bobLaptop), ['ringing']],
  [accepted(carol), ['offered']],
  [
    {
      type: 'reseated',
      participant: seatOf(bob),
      as: seatOf(bobLaptop),
      sending: sendingAll,
    },
    ['talking', 'held', 'offered', 'group'],
  ],
  [{ type: 'declined', at: bobLaptop }, ['ringing']],
  [{ type: 'declined', at: carol }, ['offered']],
  [{ type: 'deviceGone', at: bob }, ['ringing']],
  [{ type: 'uninvited', user: user('bob') }, ['ringing']],
  [{ type: 'uninvited', user: user('carol') }, ['offered']],
  [offered(alice, 'carol', 'transferred'), ['talking', 'held', 'moving']],
  [offered(alice, 'alice', 'moved'), ['talking', 'held', 'moving', 'group']],
  [offered(alice, 'alice', 'transferred'), []],
  [offered(bob, 'alice', 'moved'), []],
  [held(alice, true), ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group']],
  [held(alice, false), []],
  [held(bob, false), ['held']],
  [{ type: 'settled', participant: seatOf(bobLaptop) }, ['moving']],
  [{ type: 'settled', participant: seatOf(bob) }, []],
  [
    { type: 'handedOver', by: seatOf(bob), brought: [seatOf(alice)] },
    ['talking', 'held', 'offered', 'moving', 'group'],
  ],
  [tookOver(alice, carol), ['alone', 'ringing', 'talking', 'held', 'offered', 'moving']],
  [tookOver(carol, bobLaptop), ['group']],
  [left(alice), ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group']],
  [left(bob), ['talking', 'held', 'offered', 'moving', 'group']],
  [{ type: 'connectionChanged', participant: seatOf(carol), connected: false }, ['group']],
  [{ type: 'sendingChanged', participant: seatOf(carol), sending: sendingAll }, ['group']],
  [publishedBy(carol), ['group']],
  [{ type: 'ready', participant: seatOf(alice), epoch: 1 }, ['moving', 'group']],
  [{ type: 'mediaLost', epoch: 1 }, ['moving', 'group']],
  [{ type: 'escalated' }, ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group']],
  [
    { type: 'closed', reason: 'superseded' },
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [
    { type: 'knocked', at: at('dave', 'phone'), media: { audio: true, video: true }, direct: true },
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [{ type: 'unknocked', at: bob }, []],
  [{ type: 'admitted', user: user('bob'), seats: [{ participant: seatOf(bob), at: bob }] }, []],
  [{ type: 'denied', user: user('bob') }, []],
  [
    { type: 'removed', user: user('bob') },
    ['ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [{ type: 'removed', user: user('dave') }, []],
  [
    { type: 'moderatorChanged', user: user('alice'), on: true },
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [{ type: 'moderatorChanged', user: user('alice'), on: false }, []],
  [
    { type: 'silenceChanged', user: user('bob'), sources: ['microphone'], on: true },
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [
    { type: 'policyChanged', locked: true },
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [{ type: 'policyChanged', lobby: false }, []],
  [
    { type: 'tokenModerates', participant: seatOf(alice), moderates: true },
    ['alone', 'ringing', 'talking', 'held', 'offered', 'moving', 'group'],
  ],
  [{ type: 'tokenModerates', participant: seatOf(alice), moderates: false }, []],
  [{ type: 'tick' }, []],
]

for (const name of Object.keys(histories) as StateName[]) {
  test.each(table.map(([event, changes]) => [nameOf(event), event, changes] as const))(
    `a call that is ${name}: %s`,
    (_, event, changes) => {
      const before = stateOf(name)
      const { state, effects } = call(before, event, 0)
      if (changes.includes(name)) expect(state).not.toBe(before)
      else expect([state === before, effects]).toEqual([true, []])
    },
  )
}

test('every kind of event is in the table', () => {
  const kinds: Readonly<Record<Exclude<CallEvent['type'], Media>, true>> = {
    joined: true,
    invited: true,
    offered: true,
    uninvited: true,
    accepted: true,
    reseated: true,
    declined: true,
    left: true,
    holdChanged: true,
    settled: true,
    handedOver: true,
    tookOver: true,
    closed: true,
    deviceCame: true,
    wakeFailed: true,
    handMoved: true,
    deviceGone: true,
    connectionChanged: true,
    sendingChanged: true,
    published: true,
    knocked: true,
    unknocked: true,
    admitted: true,
    denied: true,
    removed: true,
    moderatorChanged: true,
    silenceChanged: true,
    policyChanged: true,
    tokenModerates: true,
    ready: true,
    escalated: true,
    mediaLost: true,
    tick: true,
  }
  expect(new Set(table.map(([{ type }]) => type))).toEqual(new Set(Object.keys(kinds)))
})

/** These need a publication to be about; `published` stands for them. */
type Media = 'publicationPaused' | 'unpublished'

function stateOf(name: StateName): Call {
  const empty = newCall({
    id: callId('call-1'),
    room: undefined,
    startedBy: user('alice'),
    sfuOnly: false,
  })
  const events: readonly CallEvent[] = histories[name]
  return events.reduce((state, event) => call(state, event, 0).state, empty)
}

function nameOf(event: CallEvent): string {
  const who = 'at' in event ? event.at.device : 'participant' in event ? event.participant : ''
  return `${event.type} ${who}`
}

function at(name: string, kind: string): DeviceAddress {
  return { user: user(name), device: device(`${name}-${kind}`) }
}

function joined(address: DeviceAddress, replaces?: DeviceAddress) {
  return {
    type: 'joined',
    participant: seatOf(address),
    at: address,
    sending: sendingAll,
    ...(replaces && { replaces: seatOf(replaces) }),
  } as const
}

function accepted(address: DeviceAddress) {
  const { participant, at: where, sending } = joined(address)
  return { type: 'accepted', participant, at: where, sending } as const
}

function invited(...names: readonly string[]) {
  return {
    type: 'invited',
    by: user('alice'),
    media: { audio: true, video: true },
    payload: undefined,
    users: names.map(invitee),
    deadline: RING_MS,
  } as const
}

function offered(by: DeviceAddress, name: string, how: 'transferred' | 'moved') {
  return {
    type: 'offered',
    offer: { by: seatOf(by), how },
    // One's own place is offered to the other devices.
    to: how === 'moved' ? { ...invitee(name), devices: [device(`${name}-laptop`)] } : invitee(name),
    media: { audio: true, video: true },
    deadline: RING_MS,
  } as const
}

function invitee(name: string) {
  const devices = addresses.filter((a) => a.user === user(name)).map((a) => a.device)
  return { user: user(name), outcome: 'ring', devices } as const
}

function held(address: DeviceAddress, onHold: boolean) {
  return { type: 'holdChanged', participant: seatOf(address), onHold } as const
}

function tookOver(by: DeviceAddress, coming: DeviceAddress) {
  const seat = { participant: seatOf(coming), at: coming, sending: sendingAll }
  return {
    type: 'tookOver',
    by: seatOf(by),
    from: callId('call-0'),
    seats: [{ ...seat, connected: true, onHold: false }],
  } as const
}

function left(address: DeviceAddress) {
  return { type: 'left', participant: seatOf(address), reason: 'hangup' } as const
}

function publishedBy(address: DeviceAddress): CallEvent {
  return {
    type: 'published',
    participant: seatOf(address),
    publication: {
      producer: producerId('camera'),
      source: 'camera',
      kind: 'video',
      paused: false,
      epoch: 1,
    },
  }
}
