import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newCall } from './call-state.ts'
import type { Call, CallEvent } from './call-state.ts'
import { call } from './call.ts'
import type { ParticipantId } from './ids.ts'
import { viewOf } from './project-call.ts'
import { correctedCall, restoredCall } from './restore-call.ts'
import type { RememberedCall } from './restore-call.ts'
import { addresses, arbitraryCallEvent, callId, seatOf, sendingAll, user } from './testing.ts'
import { topologyView } from './topology.ts'

const none = new Map()

describe('a call rebuilt from what its people know', () => {
  test('is the call as it was, but nobody is back yet', () => {
    const lost = history([joined(0), joined(2), joined(4)]).at(-1) as Call
    const restored = restoredCall(memoryOf(lost), none, 0)
    const away = lost.participants.map((p) => ({ ...p, connected: false }))
    expect(viewOf(restored)).toEqual(viewOf({ ...lost, participants: away }))
  })

  test('goes on with a switch that was under way, for which all have to be ready again', () => {
    const lost = history([joined(0), joined(2), joined(4)]).at(-1) as Call
    let restored = restoredCall(memoryOf(lost), none, 0)
    for (const { id } of restored.participants) {
      expect(restored.topology).toMatchObject({ phase: 'switching', next: { epoch: 1 } })
      restored = call(restored, { type: 'ready', participant: id, epoch: 1 }, 0).state
    }
    expect(restored.topology).toEqual({ phase: 'settled', path: 'sfu', epoch: 1 })
  })

  test('is what the newest memory tells, whoever comes, in whatever order', () => {
    const events = fc.array(arbitraryCallEvent(0, 45_000), { minLength: 1, maxLength: 20 })
    const order = fc.array(fc.nat(), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(events, order, (happened, picks) => {
        // A memory is written of each state that somebody was in.
        const states = history([joined(0), ...happened]).filter(
          ({ phase, participants }) => phase === 'open' && participants.length > 0,
        )
        const brought = picks.map((pick) => pick % states.length)
        const restored = rebuild(states, brought)
        const newest = states[Math.max(...brought)] as Call
        expect(new Set(seatsOf(restored))).toEqual(new Set(seatsOf(newest)))
        expect(new Set(seatsOf(restored)).size).toBe(restored.participants.length)
        expect(topologyView(restored.topology)).toEqual(topologyView(newest.topology))
        expect(restored.topology.pinned).toBe(newest.topology.pinned)
        expect(restored.participants.every(({ connected }) => !connected)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('keeps what happened since it was rebuilt', () => {
    const [older, newer] = history([joined(0), joined(2), joined(4)]).slice(-2)
    const restored = restoredCall(memoryOf(older as Call), none, 0)
    const left = { type: 'left', participant: seatAt(0), reason: 'hangup' } as const
    const changed = call(call(restored, joined(1), 0).state, left, 0).state
    const since = new Set([seatAt(0), seatAt(1)])
    const { call: corrected, gone } = correctedCall(
      changed,
      { known: memoryOf(newer as Call), since },
      { streams: none, now: 0 },
    )
    expect(seatsOf(corrected)).toEqual([seatAt(2), seatAt(1), seatAt(4)])
    expect(gone).toEqual([])
  })
})

/** Takes in memories one after the other, as tickets come. */
function rebuild(states: readonly Call[], brought: readonly number[]): Call {
  const [first = 0, ...rest] = brought
  let basis = first
  let restored = restoredCall(memoryOf(states[first] as Call), none, 0)
  for (const index of rest) {
    if (index <= basis) continue
    basis = index
    const memory = { known: memoryOf(states[index] as Call), since: new Set<ParticipantId>() }
    const corrected = correctedCall(restored, memory, { streams: none, now: 0 })
    const { gone } = corrected
    const participants = corrected.call.participants.filter(({ id }) => !gone.includes(id))
    restored = { ...corrected.call, participants }
  }
  return restored
}

function history(events: readonly CallEvent[]): Call[] {
  const room = undefined
  const spec = { id: callId('c'), room, startedBy: user('alice'), sfuOnly: false }
  const states: Call[] = [newCall(spec)]
  for (const event of events) states.push(call(states.at(-1) as Call, event, 0).state)
  return states
}

function memoryOf(state: Call) {
  const { id, room, startedBy, sfuOnly, answered, participants, topology, policy } = state
  const known: RememberedCall = {
    id,
    room,
    startedBy,
    sfuOnly,
    answered,
    seats: participants.map((p) => ({
      id: p.id,
      user: p.user,
      device: p.device,
      sending: p.sending,
      onHold: p.onHold,
      replaces: p.moving?.from,
    })),
    topology: topologyView(topology),
    pinned: topology.pinned === true,
    policy,
  }
  return known
}

function seatsOf({ participants }: Call): ParticipantId[] {
  return participants.map(({ id }) => id)
}

function joined(index: number): CallEvent {
  const at = addresses[index % addresses.length] ?? addresses[0]
  if (!at) throw new Error('no such address')
  return { type: 'joined', participant: seatOf(at), at, sending: sendingAll }
}

function seatAt(index: number): ParticipantId {
  const event = joined(index)
  return event.type === 'joined' ? event.participant : ('' as ParticipantId)
}
