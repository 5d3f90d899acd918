import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { audience, isPending, newCall, participantAt, ringsAt } from './call-state.ts'
import type { Call, CallEffect, CallEvent, DeviceAddress } from './call-state.ts'
import { call, callDeadline } from './call.ts'
import { viewOf } from './project-call.ts'
import {
  addresses,
  arbitraryCallEvent,
  callId,
  device,
  participantId,
  seatOf,
  sendingAll,
  user,
} from './testing.ts'
import { SWITCH_DEADLINE_MS } from './topology.ts'

const RING_MS = 45_000
const alice = at('alice', 'phone')
const bobPhone = at('bob', 'phone')
const bobLaptop = at('bob', 'laptop')
const carol = at('carol', 'phone')

describe('ringing', () => {
  test('[RING-1] all devices of the called user ring', () => {
    const { effects } = play([joined(alice), invited('bob')])
    expect(rung(effects)).toEqual([bobPhone.device, bobLaptop.device])
  })

  test('[RING-2] the first device to accept is in; the other is told who answered', () => {
    const { state, effects } = play([joined(alice), invited('bob'), accepted(bobPhone)])
    expect(participantAt(state, bobPhone)).toBeDefined()
    expect(state.answered).toBe(true)
    expect(ends(effects)).toEqual([[bobLaptop.device, 'answered-elsewhere']])
  })

  test('[RING-2] a second accept changes nothing', () => {
    const before = play([joined(alice), invited('bob'), accepted(bobPhone)]).state
    expect(call(before, accepted(bobLaptop), 0).state).toBe(before)
  })

  test('[RING-3] declining on one device ends it everywhere', () => {
    const { state, effects } = play([joined(alice), invited('bob'), declined(bobLaptop)])
    expect(state.phase).toBe('ended')
    expect(new Map(ends(effects))).toEqual(
      new Map([
        [bobPhone.device, 'declined-elsewhere'],
        [bobLaptop.device, 'declined'],
        [alice.device, 'declined'],
      ]),
    )
  })

  test('[RING-4] the caller who gives up cancels', () => {
    const { state, effects } = play([joined(alice), invited('bob'), left(alice)])
    expect(state.phase).toBe('ended')
    expect(new Set(ends(effects).map(([, reason]) => reason))).toEqual(new Set(['cancelled']))
    expect(ends(effects)).toHaveLength(3)
  })

  test('[RING-5] nobody answers in time', () => {
    const rings = play([joined(alice), invited('bob')]).state
    expect(callDeadline(rings)).toBe(RING_MS)
    expect(call(rings, { type: 'tick' }, RING_MS - 1).state).toBe(rings)
    const { state, effects } = call(rings, { type: 'tick' }, RING_MS)
    expect(state.phase).toBe('ended')
    expect(new Set(ends(effects).map(([, reason]) => reason))).toEqual(new Set(['no-answer']))
  })

  test('[RING-6] a user whose devices are all in calls is busy', () => {
    const { state, effects } = play([
      joined(alice),
      { ...invited('bob'), users: [{ user: user('bob'), outcome: 'busy' }] },
    ])
    expect(state.phase).toBe('ended')
    expect(ends(effects)).toEqual([[alice.device, 'busy']])
  })

  test('[RING-7] one of several may decline; the others ring on', () => {
    const { state } = play([joined(alice), invited('bob', 'carol'), declined(bobPhone)])
    expect(state.phase).toBe('open')
    expect(ringsAt(state, carol)).toBe(true)
    expect(viewOf(state).invites).toContainEqual({ user: user('bob'), state: 'declined' })
  })

  test('[RING-8] a device that goes away no longer rings; its last one makes him unreachable', () => {
    const one = play([joined(alice), invited('bob'), gone(bobPhone)])
    expect(ringsAt(one.state, bobLaptop)).toBe(true)
    const none = call(one.state, gone(bobLaptop), 0)
    expect(none.state.phase).toBe('ended')
    expect(ends(none.effects)).toEqual([[alice.device, 'no-answer']])
  })
})

describe('waking', () => {
  const waking = { ...invited('bob'), users: [{ user: user('bob'), outcome: 'wake' as const }] }

  test('[WAKE-1] nobody is awake: the call waits, and the device that comes rings', () => {
    const { state } = play([joined(alice), waking])
    expect(viewOf(state).invites).toEqual([{ user: user('bob'), state: 'waking' }])
    const came = call(state, { type: 'deviceCame', at: bobPhone, deadline: 2 * RING_MS }, 10)
    expect(rung(came.effects)).toEqual([bobPhone.device])
    expect(viewOf(came.state).invites).toEqual([{ user: user('bob'), state: 'ringing' }])
    expect(callDeadline(came.state)).toBe(2 * RING_MS)
    expect(call(came.state, accepted(bobPhone), 20).state.answered).toBe(true)
  })

  test('[WAKE-2] nobody comes in time: the caller hears no-answer', () => {
    const { state } = play([joined(alice), waking])
    const { state: over, effects } = call(state, { type: 'tick' }, RING_MS)
    expect(over.phase).toBe('ended')
    expect(ends(effects)).toEqual([[alice.device, 'no-answer']])
  })

  test('[WAKE-2] nobody can be woken: the caller need not wait', () => {
    const { state } = play([joined(alice), waking])
    const { effects } = call(state, { type: 'wakeFailed', user: user('bob') }, 5)
    expect(ends(effects)).toEqual([[alice.device, 'no-answer']])
  })

  test('[WAKE-3] a device that comes while others ring rings with them, as long as they do', () => {
    const { state } = play([
      joined(alice),
      {
        ...invited('bob'),
        users: [{ user: user('bob'), outcome: 'ring', devices: [bobPhone.device] }],
      },
    ])
    const came = { type: 'deviceCame', at: bobLaptop, deadline: 2 * RING_MS } as const
    const step = call(state, came, 10)
    expect(rung(step.effects)).toEqual([bobLaptop.device])
    expect(callDeadline(step.state)).toBe(RING_MS)
    expect(call(step.state, came, 11).state).toBe(step.state)
  })
})

describe('leaving', () => {
  test('[CALL-1] when one of two hangs up both are told hangup', () => {
    const { effects } = play([joined(alice), invited('bob'), accepted(bobPhone), left(bobPhone)])
    expect(ends(effects).slice(1)).toEqual([
      [bobPhone.device, 'hangup'],
      [alice.device, 'hangup'],
    ])
  })

  test('[CALL-2] when one of two is lost the other is told failed', () => {
    const { effects } = play([
      joined(alice),
      invited('bob'),
      accepted(bobPhone),
      { ...left(bobPhone), reason: 'failed' },
    ])
    expect(ends(effects).at(-1)).toEqual([alice.device, 'failed'])
  })

  test('[CALL-3] a call of three goes on when one leaves', () => {
    const { state } = play([
      joined(alice),
      invited('bob', 'carol'),
      accepted(bobPhone),
      accepted(carol),
      left(bobPhone),
    ])
    expect(state.participants).toHaveLength(2)
  })

  test('[PATH-9] two who are left while a switch goes on go back after it', () => {
    const { state } = play([joined(alice), joined(bobPhone), joined(carol), left(carol)])
    const ready = { type: 'ready', epoch: 1 } as const
    const moved = [alice, bobPhone].reduce(
      (now, seat) => call(now, { ...ready, participant: seatOf(seat) }, 0).state,
      state,
    )
    expect(viewOf(moved).topology).toEqual({ path: 'sfu', epoch: 1 })
    const later = call(moved, { type: 'tick' }, callDeadline(moved) ?? 0).state
    expect(viewOf(later).topology).toMatchObject({ next: { path: 'p2p', epoch: 2 } })
  })

  test('[ROOM-1] a room waits for company and ends with the last one', () => {
    const room = { ...empty(), room: 'standup' as Call['room'] }
    const one = call(room, joined(alice), 0)
    expect(one.state.phase).toBe('open')
    expect(call(one.state, left(alice), 0).state.phase).toBe('ended')
  })
})

describe('[TICKET-6] a seat that is taken anew', () => {
  test('keeps its place in the call, and its old media is closed', () => {
    const two = play([joined(alice), joined(carol), { type: 'escalated' }]).state
    const { state, effects } = call(two, reseated(alice), 0)
    expect(state.participants.map(({ device: d }) => d)).toEqual([alice.device, carol.device])
    expect(participantAt(state, alice)?.id).not.toBe(seatOf(alice))
    expect(effects).toContainEqual({ type: 'closePeer', participant: seatOf(alice), epoch: 1 })
    expect(ends(effects)).toEqual([])
  })

  test('is not waited for by a switch', () => {
    const three = play([joined(alice), joined(bobPhone), joined(carol)]).state
    const moved = [alice, bobPhone].reduce((s, seat) => call(s, reseated(seat), 0).state, three)
    expect(viewOf(moved).topology).toEqual({ path: 'sfu', epoch: 1 })
  })
})

describe('any sequence of events', () => {
  test('keeps every device in one known place, and always comes to an end', () => {
    fc.assert(
      fc.property(arbitraryHistory(), (history) => {
        const devices = new Map<string, 'idle' | 'ringing' | 'in'>()
        const media = new Map<number, 'open' | 'closed'>()
        let state = call(empty(), joined(alice), 0).state
        let now = 0
        const apply = (event: CallEvent) => {
          const { state: next, effects } = call(state, event, now)
          if (event.type === 'deviceGone' && ringsAt(state, event.at)) {
            devices.set(event.at.device, 'idle')
          }
          for (const effect of effects) follow(effect, devices, media)
          if (event.type === 'handedOver' && next.phase === 'ended') {
            for (const p of state.participants) {
              if (event.brought.includes(p.id)) devices.set(p.device, 'idle')
            }
          }
          for (const p of next.participants) devices.set(p.device, 'in')
          checkInvariants(next, devices)
          state = next
        }
        for (const { event, waitMs } of history) {
          now += waitMs
          apply(event)
        }
        // Whatever happened: once all leave and time passes, nothing rings and nothing is open.
        for (const { id } of state.participants) {
          apply({ type: 'left', participant: id, reason: 'hangup' })
        }
        for (let ticks = 0; callDeadline(state) !== undefined; ticks++) {
          expect(ticks).toBeLessThan(10)
          now = Math.max(now, callDeadline(state) ?? now)
          apply({ type: 'tick' })
        }
        expect(state.phase).toBe('ended')
        expect([...devices.values()].filter((place) => place !== 'idle')).toEqual([])
        expect([...media.values()].filter((room) => room === 'open')).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('an event that changes nothing gives back the same state and orders nothing', () => {
    fc.assert(
      fc.property(arbitraryHistory(), (history) => {
        const { state } = play(history.map(({ event }) => event))
        for (const { event } of history) {
          const step = call(state, event, 0)
          if (step.effects.length === 0) expect(step.state).toEqual(state)
        }
        const ended = { ...state, phase: 'ended' as const }
        for (const { event } of history) expect(call(ended, event, 0).state).toBe(ended)
      }),
    )
  })
})

interface Happening {
  readonly event: CallEvent
  readonly waitMs: number
}

function arbitraryHistory(): fc.Arbitrary<Happening[]> {
  const happening = fc.record({
    event: arbitraryCallEvent(0, RING_MS),
    waitMs: fc.constantFrom(0, 10, SWITCH_DEADLINE_MS, RING_MS),
  })
  return fc.array(happening, { maxLength: 25 })
}

function follow(
  effect: CallEffect,
  devices: Map<string, 'idle' | 'ringing' | 'in'>,
  media: Map<number, 'open' | 'closed'>,
): void {
  switch (effect.type) {
    case 'ring':
      devices.set(effect.to.device, 'ringing')
      break
    case 'endFor':
      devices.set(effect.to.device, 'idle')
      break
    case 'openMedia':
      expect(media.has(effect.epoch), 'an epoch is opened once').toBe(false)
      media.set(effect.epoch, 'open')
      break
    case 'closeMedia':
      media.set(effect.epoch, 'closed')
      break
    default:
  }
}

function checkInvariants(state: Call, devices: ReadonlyMap<string, string>): void {
  const seats = state.participants.map((p) => p.device)
  expect(new Set(seats).size, 'one seat per device').toBe(seats.length)
  const ringing = addresses.filter((a) => ringsAt(state, a))
  for (const { device: id } of ringing) expect(devices.get(id)).toMatch(/ringing|in/)
  if (state.phase === 'ended') {
    expect(audience(state)).toEqual([])
    return
  }
  if (state.invites.some(isPending) || state.topology.phase === 'switching') {
    expect(callDeadline(state), 'what waits has a deadline').toBeDefined()
  }
}

function empty(): Call {
  return newCall({
    id: callId('call-1'),
    room: undefined,
    startedBy: user('alice'),
    sfuOnly: false,
  })
}

function play(events: readonly CallEvent[]) {
  let state = empty()
  const effects: CallEffect[] = []
  for (const event of events) {
    const step = call(state, event, 0)
    state = step.state
    effects.push(...step.effects)
  }
  return { state, effects }
}

function at(name: string, kind: string): DeviceAddress {
  return { user: user(name), device: device(`${name}-${kind}`) }
}

function joined(address: DeviceAddress) {
  return {
    type: 'joined',
    participant: seatOf(address),
    at: address,
    sending: sendingAll,
  } as const
}

function accepted(address: DeviceAddress) {
  return { ...joined(address), type: 'accepted' } as const
}

function declined(address: DeviceAddress) {
  return { type: 'declined', at: address } as const
}

function gone(address: DeviceAddress) {
  return { type: 'deviceGone', at: address } as const
}

function reseated(who: DeviceAddress): CallEvent {
  const participant = seatOf(who)
  return {
    type: 'reseated',
    participant,
    as: participantId(`${participant}-again`),
    sending: sendingAll,
  }
}

function left(address: DeviceAddress) {
  return { type: 'left', participant: seatOf(address), reason: 'hangup' } as const
}

function invited(...names: readonly string[]) {
  return {
    type: 'invited',
    by: user('alice'),
    media: { audio: true, video: true },
    payload: undefined,
    users: names.map((name) => ({
      user: user(name),
      outcome: 'ring' as const,
      devices: addresses.filter((a) => a.user === user(name)).map((a) => a.device),
    })),
    deadline: RING_MS,
  } as const
}

function rung(effects: readonly CallEffect[]): string[] {
  return effects.flatMap((e) => (e.type === 'ring' ? [e.to.device] : []))
}

function ends(effects: readonly CallEffect[]): [string, string][] {
  return effects.flatMap((e): [string, string][] =>
    e.type === 'endFor' ? [[e.to.device, e.reason]] : [],
  )
}
