import fc from 'fast-check'
import { expect, it } from 'vitest'
import { retryAfter } from './reconnect-policy.ts'

it('waits longer with each failure, up to a cap, spread by chance', () => {
  const budget = { elapsedMs: 0, budgetMs: 60_000 }
  const at = (failures: number, random: number) => retryAfter({ ...budget, failures, random })
  expect(at(1, 0)).toEqual({ inMs: 125 })
  expect(at(1, 1)).toEqual({ inMs: 250 })
  expect(at(3, 1)).toEqual({ inMs: 1_000 })
  expect(at(50, 1)).toEqual({ inMs: 8_000 })
})

it('ends when the budget is used up', () => {
  expect(retryAfter({ failures: 1, elapsedMs: 60_000, budgetMs: 60_000, random: 0 })).toBe(
    'give-up',
  )
})

it('never waits less than half or more than the whole of a step', () => {
  const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), random, (failures, chance) => {
      const retry = retryAfter({ failures, elapsedMs: 0, budgetMs: 1, random: chance })
      const full = retryAfter({ failures, elapsedMs: 0, budgetMs: 1, random: 1 })
      if (retry === 'give-up' || full === 'give-up') throw new Error('gave up')
      expect(retry.inMs).toBeLessThanOrEqual(full.inMs)
      expect(retry.inMs).toBeGreaterThanOrEqual(Math.floor(full.inMs / 2))
    }),
  )
})
