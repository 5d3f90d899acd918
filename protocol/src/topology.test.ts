import { describe, expect, test } from 'vitest'
import { participantId } from './testing.ts'
import { initialTopology, SWITCH_DEADLINE_MS, topology } from './topology.ts'
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

function tick(state: Topology, participants: readonly ReturnType<typeof participantId>[]) {
  return topology(state, { type: 'tick', participants, sfuOnly: false }, SWITCH_DEADLINE_MS)
}
