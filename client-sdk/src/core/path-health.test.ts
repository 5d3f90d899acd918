import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  newPathHealth,
  p2pHealthLimits,
  pathHealthDeadline,
  pathHealthMachine,
  sfuHealthLimits,
} from './path-health.ts'
import type { PathHealth, PathHealthEffect, PathHealthEvent } from './path-health.ts'

const machine = pathHealthMachine(p2pHealthLimits)

describe('path health', () => {
  it('restarts ICE, then asks for another path, then gives up', () => {
    const orders = untilFailure(newPathHealth(p2pHealthLimits, 0))
    expect(orders[0]).toEqual({ at: 6_000, type: 'restartIce' })
    expect(orders.filter(({ type }) => type === 'escalate')).toEqual([
      { at: 13_000, type: 'escalate' },
    ])
    expect(orders.at(-1)).toEqual({ at: 60_000, type: 'fail' })
  })

  it('gives a short break time to heal by itself', () => {
    const { state } = machine({ phase: 'connected' }, { type: 'disconnected' }, 1_000)
    expect(pathHealthDeadline(state, p2pHealthLimits)).toBe(3_500)
    expect(machine(state, { type: 'connected' }, 2_000)).toEqual({
      state: { phase: 'connected' },
      effects: [],
    })
  })

  it('restarts at once when the browser has given up', () => {
    const { effects } = machine({ phase: 'connected' }, { type: 'failed' }, 1_000)
    expect(effects).toEqual([{ type: 'restartIce' }])
  })

  it('asks for no other path on a node', () => {
    const onNode = pathHealthMachine(sfuHealthLimits)
    let state = newPathHealth(sfuHealthLimits, 0)
    const types = new Set<string>()
    for (let now = 0; now <= 60_000; now += 500) {
      const step = onNode(state, { type: 'tick' }, now)
      state = step.state
      for (const { type } of step.effects) types.add(type)
    }
    expect(types).toEqual(new Set(['restartIce', 'fail']))
  })

  it('never misses its end, and never asks twice for another path in one break', () => {
    const type = fc.constantFrom<PathHealthEvent['type']>('disconnected', 'failed', 'tick')
    fc.assert(
      fc.property(fc.array(fc.tuple(type, fc.integer({ min: 1, max: 5_000 }))), (events) => {
        let state: PathHealth = newPathHealth(p2pHealthLimits, 0)
        let now = 0
        let escalations = 0
        for (const [event, wait] of events) {
          now += wait
          const step = machine(state, { type: event }, now)
          state = step.state
          escalations += step.effects.filter((effect) => effect.type === 'escalate').length
        }
        expect(escalations).toBeLessThanOrEqual(1)
        expect(machine(state, { type: 'tick' }, 60_001).state.phase).toBe('failed')
      }),
    )
  })
})

function untilFailure(from: PathHealth) {
  const orders: { at: number; type: PathHealthEffect['type'] }[] = []
  let state = from
  for (let due = pathHealthDeadline(state, p2pHealthLimits); due !== undefined;) {
    const step = machine(state, { type: 'tick' }, due)
    for (const { type } of step.effects) orders.push({ at: due, type })
    state = step.state
    due = pathHealthDeadline(state, p2pHealthLimits)
  }
  return orders
}
