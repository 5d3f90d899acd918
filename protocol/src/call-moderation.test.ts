import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { entryOf, silencedOf, waiterAt } from './call-policy.ts'
import { newCall } from './call-state.ts'
import type { Call, CallEffect, CallEvent, DeviceAddress } from './call-state.ts'
import { call } from './call.ts'
import { limits } from './limits.ts'
import { viewFor, viewOf } from './project-call.ts'
import {
  addresses,
  arbitraryCallEvent,
  callId,
  device,
  participantId,
  producerId,
  seatOf,
  sendingAll,
  user,
} from './testing.ts'

const [alice, aliceLaptop, bob, bobLaptop, carol] = addresses as readonly [
  DeviceAddress,
  DeviceAddress,
  DeviceAddress,
  DeviceAddress,
  DeviceAddress,
]
const media = { audio: true, video: true }

const joined = (at: DeviceAddress): CallEvent => ({
  type: 'joined',
  participant: seatOf(at),
  at,
  sending: sendingAll,
})
const knocked = (at: DeviceAddress): CallEvent => ({ type: 'knocked', at, media, direct: true })
const admitted = (...at: readonly DeviceAddress[]): CallEvent => ({
  type: 'admitted',
  user: (at[0] ?? alice).user,
  seats: at.map((one) => ({ participant: seatOf(one), at: one })),
})
const published = (at: DeviceAddress, paused = false): CallEvent => ({
  type: 'published',
  participant: seatOf(at),
  publication: {
    producer: producerId(`mic-${at.device}`),
    source: 'microphone',
    kind: 'audio',
    paused,
    epoch: 1,
  },
})
const hushed = (at: DeviceAddress, on = true): CallEvent => ({
  type: 'silenceChanged',
  user: at.user,
  sources: ['microphone'],
  on,
})
const open = newCall({
  id: callId('call-1'),
  room: 'standup' as Call['room'],
  startedBy: alice.user,
  sfuOnly: true,
  moderators: [alice.user],
})

function after(...events: readonly CallEvent[]) {
  let state: Call = open
  let effects: readonly CallEffect[] = []
  for (const event of events) ({ state, effects } = call(state, event, 1_000))
  return { state, effects }
}

const told = (effects: readonly CallEffect[]) =>
  effects.flatMap((e) => (e.type === 'endFor' ? [`${e.to.device} ${e.reason}`] : []))
const entrant = (at: DeviceAddress, moderates = false) => ({ ...at, moderates })

describe('the lobby', () => {
  const held: CallEvent = { type: 'policyChanged', lobby: true }

  test('holds newcomers, and neither moderators nor who is in on another device', () => {
    const { state } = after(joined(alice), held)
    expect(entryOf(state, entrant(bob))).toBe('wait')
    expect(entryOf(state, entrant(bob, true))).toBe('enter')
    expect(entryOf(state, entrant(aliceLaptop))).toBe('enter')
  })

  test('gives a seat to who is let in, and tells him', () => {
    const { state, effects } = after(joined(alice), held, knocked(bob), admitted(bob))
    expect(state.waiting).toEqual([])
    expect(state.participants.map((p) => p.device)).toEqual([alice.device, bob.device])
    expect(effects).toContainEqual({
      type: 'admit',
      to: expect.objectContaining({ device: bob.device }) as object,
      participant: seatOf(bob),
    })
  })

  test('ends for who is denied, and for all when the call does', () => {
    expect(
      told(after(joined(alice), knocked(bob), { type: 'denied', user: bob.user }).effects),
    ).toEqual(['bob-phone denied'])
    const over = after(joined(alice), knocked(bob), {
      type: 'left',
      participant: seatOf(alice),
      reason: 'hangup',
    })
    expect(told(over.effects)).toContain('bob-phone hangup')
    expect(over.state.waiting).toEqual([])
  })

  test('is shown to moderators only', () => {
    const { state } = after(joined(alice), joined(carol), knocked(bob))
    expect(viewFor(state, alice).waiting).toEqual([{ ...bob, since: 1_000 }])
    expect(viewFor(state, carol).waiting).toBeUndefined()
    expect(viewOf(state).waiting).toBeUndefined()
  })

  test('is bounded, in all and for each user', () => {
    const crowd = Array.from({ length: limits.waitingPerCall + 5 }, (_, i) =>
      knocked({ user: user(`u${i}`), device: device(`d${i}`) }),
    )
    const { state } = after(joined(alice), ...crowd)
    expect(state.waiting).toHaveLength(limits.waitingPerCall)
    const own = Array.from({ length: limits.waitingDevicesPerUser }, (_, i) =>
      knocked({ user: bob.user, device: device(`b${i}`) }),
    )
    const few = after(joined(alice), held, ...own).state
    expect(entryOf(few, entrant(bob))).toBe('lobby-full')
    expect(entryOf(few, entrant(carol))).toBe('wait')
  })

  test('ends on the other devices of somebody who has come in', () => {
    const step = after(joined(alice), knocked(bob), knocked(bobLaptop), admitted(bob))
    expect(told(step.effects)).toEqual(['bob-laptop answered-elsewhere'])
    expect(step.state.waiting).toEqual([])
  })
})

test('a locked call takes in nobody new but moderators, and who was asked before', () => {
  const invited: CallEvent = {
    ...{ type: 'invited', by: alice.user, media, payload: undefined, deadline: 9_000 },
    users: [{ user: carol.user, outcome: 'ring', devices: [carol.device] }],
  }
  const { state } = after(joined(alice), invited, { type: 'policyChanged', locked: true })
  expect(entryOf(state, entrant(bob))).toBe('locked')
  expect(entryOf(state, entrant(bob, true))).toBe('enter')
  expect(entryOf(state, entrant(carol))).toBe('enter')
})

test('who is removed loses all seats, hears so, and waits until he is let in', () => {
  const gone = after(joined(alice), joined(bob), joined(bobLaptop), {
    type: 'removed',
    user: bob.user,
  })
  expect(told(gone.effects)).toEqual(['bob-phone removed', 'bob-laptop removed'])
  expect(gone.state.participants.map((p) => p.user)).toEqual([alice.user])
  expect(entryOf(gone.state, entrant(bob))).toBe('wait')
  expect(call(gone.state, joined(bob), 2_000).state).toBe(gone.state)
  const waits = call(gone.state, knocked(bob), 2_000).state
  const back = call(waits, admitted(bob), 2_000).state
  expect(back.policy.removed).toEqual([])
  expect(back.participants.map((p) => p.user)).toEqual([alice.user, bob.user])
})

describe('who is silenced', () => {
  test('has his stream paused, and any that he opens or resumes', () => {
    const step = after(joined(alice), joined(bob), published(bob), hushed(bob))
    const producer = producerId('mic-bob-phone')
    const pause = { type: 'pauseProducer', participant: seatOf(bob), producer, epoch: 1 }
    expect(step.effects).toContainEqual(pause)
    const resumed = call(
      step.state,
      { type: 'publicationPaused', participant: seatOf(bob), producer, paused: false },
      2_000,
    )
    expect(resumed.effects).toContainEqual(pause)
    expect(viewOf(resumed.state).participants[1]?.publications[0]?.paused).toBe(true)
  })

  test('is shown as muted, stays so when he comes back, and may send again once that is lifted', () => {
    const left: CallEvent = { type: 'left', participant: seatOf(bob), reason: 'hangup' }
    const { state } = after(joined(alice), joined(bob), hushed(bob), left, joined(bob))
    const [, seat] = viewOf(state).participants
    expect([seat?.sending.microphone, seat?.silenced]).toEqual([false, ['microphone']])
    const lifted = viewOf(call(state, hushed(bob, false), 2_000).state).participants[1]
    expect([lifted?.sending.microphone, lifted?.silenced]).toEqual([true, undefined])
  })
})

test('no sequence of events seats the removed, forgets who waits, or lets the silenced be heard', () => {
  const anyAt = fc.constantFrom(...addresses)
  const moderation: fc.Arbitrary<CallEvent> = fc.oneof(
    anyAt.map(knocked),
    anyAt.map((at) => ({ type: 'unknocked' as const, at })),
    fc.uniqueArray(anyAt, { minLength: 1, maxLength: 3 }).map((all) => admitted(...all)),
    anyAt.map(({ user: name }) => ({ type: 'denied' as const, user: name })),
    anyAt.map(({ user: name }) => ({ type: 'removed' as const, user: name })),
    fc.tuple(anyAt, fc.boolean()).map(([at, on]) => hushed(at, on)),
    fc.tuple(anyAt, fc.boolean()).map(([at, paused]) => published(at, paused)),
    fc
      .tuple(anyAt, fc.boolean())
      .map(([{ user: name }, on]) => ({ type: 'moderatorChanged' as const, user: name, on })),
    fc.tuple(anyAt, fc.boolean()).map(([at, moderates]) => ({
      type: 'tokenModerates' as const,
      participant: seatOf(at),
      moderates,
    })),
    fc
      .tuple(fc.boolean(), fc.boolean())
      .map(([locked, lobby]) => ({ type: 'policyChanged' as const, locked, lobby })),
  )
  const events = fc.array(
    fc.oneof(
      { arbitrary: moderation, weight: 4 },
      { arbitrary: anyAt.map(joined), weight: 3 },
      { arbitrary: arbitraryCallEvent(0, 5_000), weight: 2 },
    ),
    { maxLength: 40, size: 'max' },
  )
  fc.assert(
    fc.property(events, (list) => {
      let state = call(open, joined(alice), 0).state
      list.forEach((event, now) => {
        const before = state
        const step = call(before, event, now)
        state = step.state
        check(state)
        // Whoever waits no longer has gone himself, or was told.
        const heard = step.effects.flatMap((e) =>
          e.type === 'endFor' || e.type === 'admit' ? [e.to.device] : [],
        )
        for (const waiter of before.waiting) {
          if (waiterAt(state, waiter) || event.type === 'unknocked') continue
          const came = 'at' in event && event.at.device === waiter.device
          expect(came || heard.includes(waiter.device) || tookOver(event, waiter)).toBe(true)
        }
      })
    }),
    { numRuns: 400 },
  )
})

function check({ participants, waiting, policy, phase }: Call): void {
  const seated = new Set(participants.map((p) => p.user))
  expect(policy.removed.filter((name) => seated.has(name))).toEqual([])
  expect(waiting.filter((waiter) => seated.has(waiter.user))).toEqual([])
  expect(new Set(waiting.map((waiter) => waiter.device)).size).toBe(waiting.length)
  if (phase === 'ended') expect([participants, waiting]).toEqual([[], []])
  for (const { user: name, publications } of participants) {
    const silenced = silencedOf(policy, name)
    expect(publications.filter((p) => silenced.includes(p.source) && !p.paused)).toEqual([])
  }
}

/** He has come with the people of another call. */
function tookOver(event: CallEvent, { device: one }: DeviceAddress): boolean {
  return event.type === 'tookOver' && event.seats.some(({ at }) => at.device === one)
}

test('a seat that is taken anew keeps what was decided about its user', () => {
  const { state } = after(joined(alice), joined(bob), hushed(bob), {
    ...{ type: 'reseated', participant: seatOf(bob), as: participantId('seat-again') },
    sending: sendingAll,
  })
  expect(viewOf(state).participants[1]?.silenced).toEqual(['microphone'])
})
