import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { participantId } from './testing.ts'
import {
  initialTopology,
  RETURN_AFTER_MS,
  SWITCH_DEADLINE_MS,
  topology,
  topologyDeadline,
  topologyView,
} from './topology.ts'
import type { Topology, TopologyEvent } from './topology.ts'

const [a, b, c] = ['a', 'b', 'c'].map(participantId) as [
  ReturnType<typeof participantId>,
  ReturnType<typeof participantId>,
  ReturnType<typeof participantId>,
]

describe('the path of a call', () => {
  test('[PATH-1] two people talk peer to peer', () => {
    const { state, effects } = play([people(a), people(a, b)])
    expect(state).toEqual(initialTopology)
    expect(effects).toEqual([])
  })

  test('[PATH-2] a third person starts a switch that waits for the two who talk', () => {
    const { state, effects } = play([people(a, b), people(a, b, c)])
    expect(state).toMatchObject({ phase: 'switching', path: 'p2p', waitingFor: [a, b] })
    expect(effects).toEqual([{ type: 'openMedia', epoch: 1 }])
  })

  test('[PATH-3] the old path stops only when both are ready', () => {
    const one = play([people(a, b), people(a, b, c), ready(a)])
    expect(one.state.path).toBe('p2p')
    expect(play([people(a, b), people(a, b, c), ready(a), ready(b)]).state).toEqual({
      phase: 'settled',
      path: 'sfu',
      epoch: 1,
    })
  })

  test('[PATH-3] one who leaves is no longer waited for', () => {
    const { state } = play([people(a, b), people(a, b, c), ready(a), people(a, c)])
    expect(state.path).toBe('sfu')
  })

  test('[PATH-4] ready for another epoch does not count', () => {
    const { state } = play([people(a, b), people(a, b, c), ready(a, 7), ready(b, 7)])
    expect(state.path).toBe('p2p')
  })

  test('[PATH-5] at the deadline three go on without the one who is not ready', () => {
    const before = play([people(a, b), people(a, b, c), ready(a)]).state
    expect(tick(before, [a, b, c]).state.path).toBe('sfu')
  })

  test('[PATH-6] a switch that two people do not need any more is rolled back', () => {
    const before = play([people(a, b), { type: 'escalated', participants: [a, b] }]).state
    const { state, effects } = tick(before, [a, b])
    expect(state).toEqual({ phase: 'settled', path: 'p2p', epoch: 1 })
    expect(effects).toEqual([{ type: 'closeMedia', epoch: 1 }])
  })

  test('[PATH-7] a lost node is replaced under a new epoch, and the old one closed', () => {
    const sfu: Topology = { phase: 'settled', path: 'sfu', epoch: 3 }
    const lost = topology(sfu, { type: 'mediaLost', epoch: 3, participants: [a, b] }, 0)
    expect(lost.state).toMatchObject({ epoch: 3, next: { path: 'sfu', epoch: 4 } })
    const one = topology(lost.state, ready(a, 4), 0)
    const both = topology(one.state, ready(b, 4), 0)
    expect(both.state).toEqual({ phase: 'settled', path: 'sfu', epoch: 4 })
    expect(both.effects).toEqual([{ type: 'closeMedia', epoch: 3 }])
  })

  test('[PATH-8] a room that is never peer to peer goes to the SFU with its first person', () => {
    const { state } = play([{ ...people(a), sfuOnly: true }])
    expect(state).toEqual({ phase: 'settled', path: 'sfu', epoch: 1 })
  })
})

describe('[PATH-9] two who are left of more', () => {
  const alone = play([people(a, b), people(a, b, c), ready(a), ready(b), people(a, b)]).state

  test('go back to each other once they have been alone for a while', () => {
    expect([alone.path, topologyDeadline(alone)]).toEqual(['sfu', RETURN_AFTER_MS])
    expect(at(alone, RETURN_AFTER_MS - 1).state).toBe(alone)
    const going = at(alone, RETURN_AFTER_MS)
    expect(going.effects).toEqual([])
    expect(topologyView(going.state)).toEqual({
      ...{ path: 'sfu', epoch: 1 },
      next: { path: 'p2p', epoch: 2 },
    })
    const one = topology(going.state, ready(a, 2), RETURN_AFTER_MS)
    expect(one.state.path).toBe('sfu')
    const both = topology(one.state, ready(b, 2), RETURN_AFTER_MS)
    expect(both.state).toEqual({ phase: 'settled', path: 'p2p', epoch: 2 })
    expect(both.effects).toEqual([{ type: 'closeMedia', epoch: 1 }])
  })

  test('do not where a third one comes again meanwhile', () => {
    const back = topology(alone, people(a, b, c), 1_000).state
    expect(topologyDeadline(back)).toBeUndefined()
    const again = topology(back, people(a, b), 2_000).state
    expect(topologyDeadline(again)).toBe(2_000 + RETURN_AFTER_MS)
  })

  test('stay where somebody comes during the switch, and no message of it counts later', () => {
    const going = at(alone, RETURN_AFTER_MS).state
    const stayed = topology(topology(going, ready(a, 2), 6_000).state, people(a, b, c), 6_000)
    expect(topologyView(stayed.state)).toEqual({ path: 'sfu', epoch: 1 })
    expect(stayed.effects).toEqual([])
    const lost = { type: 'mediaLost', epoch: 1, participants: [a, b, c] } as const
    expect(topologyView(topology(stayed.state, lost, 7_000).state).next?.epoch).toBe(3)
  })

  test('stay for good where they do not reach each other', () => {
    const going = at(alone, RETURN_AFTER_MS).state
    const stayed = at(going, RETURN_AFTER_MS + SWITCH_DEADLINE_MS).state
    expect(topologyView(stayed)).toEqual({ path: 'sfu', epoch: 1 })
    const later = [people(a, b, c), people(a, b)].reduce((s, e) => topology(s, e, 0).state, stayed)
    expect(topologyDeadline(later)).toBeUndefined()
  })

  test('stay where somebody has asked for the node, before or during the switch', () => {
    const asked = { type: 'escalated', participants: [a, b] } as const
    expect(topologyDeadline(topology(alone, asked, 0).state)).toBeUndefined()
    const going = at(alone, RETURN_AFTER_MS).state
    const stayed = topology(going, asked, 6_000)
    expect(topologyView(stayed.state)).toEqual({ path: 'sfu', epoch: 1 })
    expect(topologyDeadline(stayed.state)).toBeUndefined()
  })

  test('go at once where the node is lost during the switch', () => {
    const going = at(alone, RETURN_AFTER_MS).state
    const lost = { type: 'mediaLost', epoch: 1, participants: [a, b] } as const
    expect(topology(going, lost, 6_000).state).toMatchObject({ path: 'p2p', epoch: 2 })
  })

  test('however people come and go, move at most once per quiet time, and epochs only grow', () => {
    const step = fc.oneof(
      fc.constantFrom(2, 3).map((count) => people(...[a, b, c].slice(0, count))),
      fc.constantFrom(a, b).chain((who) => fc.nat(9).map((epoch) => ready(who, epoch))),
      fc.constant({ type: 'tick', participants: [a, b], sfuOnly: false } as const),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(RETURN_AFTER_MS - 1))), (steps) => {
        let state: Topology = alone
        let now = 0
        let changedAt = 0
        for (const [event, afterMs] of steps) {
          now += afterMs
          const next = topology(state, event, now).state
          if (event.type === 'audienceChanged') changedAt = now
          const goesBack = next.phase === 'switching' && next.next.path === 'p2p'
          const went = state.phase === 'switching'
          if (goesBack && !went) expect(now - changedAt).toBeGreaterThanOrEqual(RETURN_AFTER_MS)
          expect(next.epoch).toBeGreaterThanOrEqual(state.epoch)
          if (next.path !== state.path) expect(next.epoch).toBeGreaterThan(state.epoch)
          state = next
        }
      }),
    )
  })
})

function play(events: readonly TopologyEvent[]) {
  let state: Topology = initialTopology
  const effects: unknown[] = []
  for (const event of events) {
    const step = topology(state, event, 0)
    state = step.state
    effects.push(...step.effects)
  }
  return { state, effects }
}

function people(...participants: ReturnType<typeof participantId>[]) {
  return { type: 'audienceChanged', participants, sfuOnly: false } as const
}

function ready(participant: ReturnType<typeof participantId>, epoch = 1) {
  return { type: 'ready', participant, epoch } as const
}

function at(state: Topology, now: number) {
  return topology(state, { type: 'tick', participants: [a, b], sfuOnly: false }, now)
}

function tick(state: Topology, participants: readonly ReturnType<typeof participantId>[]) {
  return topology(state, { type: 'tick', participants, sfuOnly: false }, SWITCH_DEADLINE_MS)
}
