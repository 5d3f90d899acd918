import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { demand, demandReason, LOWER_AFTER_MS, newDemand } from './demand.ts'

describe('demand', () => {
  test('a new stream begins with all its layers', () => {
    expect(newDemand(3).layer).toBe(2)
  })

  test('a wanted layer is asked for at once', () => {
    expect(demand({ layer: -1, lowerAt: undefined }, 2, 1_000).layer).toBe(2)
  })

  test('an unwanted layer is given up after a while', () => {
    const waiting = demand(newDemand(3), 0, 1_000)
    expect(waiting.layer).toBe(2)
    expect(demand(waiting, 0, 1_000 + LOWER_AFTER_MS - 1).layer).toBe(2)
    expect(demand(waiting, 0, 1_000 + LOWER_AFTER_MS)).toEqual({ layer: 0, lowerAt: undefined })
  })

  test('a layer that is wanted again in time is never given up', () => {
    const waiting = demand(newDemand(3), 0, 1_000)
    const again = demand(waiting, 2, 2_000)
    expect(again).toEqual(newDemand(3))
    expect(demand(again, 0, 1_000 + LOWER_AFTER_MS).layer).toBe(2)
  })

  test('it is never below what is wanted, and follows within the wait', () => {
    const step = fc.tuple(fc.integer({ min: -1, max: 2 }), fc.nat(3 * LOWER_AFTER_MS))
    fc.assert(
      fc.property(fc.array(step, { minLength: 1 }), (steps) => {
        let now = 0
        let state = newDemand(3)
        let wanted = 2
        for (const [next, elapsedMs] of steps) {
          now += elapsedMs
          wanted = next
          state = demand(state, wanted, now)
          expect(state.layer).toBeGreaterThanOrEqual(wanted)
          expect(state.lowerAt === undefined).toBe(state.layer === wanted)
        }
        expect(demand(state, wanted, now + LOWER_AFTER_MS).layer).toBe(wanted)
      }),
    )
  })

  test('its reason tells nobody, small tiles and all layers apart', () => {
    expect([-1, 0, 1, 2].map((layer) => demandReason(layer, 3))).toEqual([
      'not-watched',
      'tile-size',
      'tile-size',
      'full',
    ])
    expect(demandReason(0, 1)).toBe('full')
  })
})
