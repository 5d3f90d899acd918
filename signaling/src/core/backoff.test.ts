import fc from 'fast-check'
import { expect, test } from 'vitest'
import { retryAfter } from './backoff.ts'

test('pauses double from a second to five minutes, jittered by half, for about an hour', () => {
  expect([1, 2, 3, 9, 10, 19].map((attempt) => retryAfter(attempt, 1))).toEqual([
    1_000, 2_000, 4_000, 256_000, 300_000, 300_000,
  ])
  expect(retryAfter(3, 0)).toBe(2_000)
  expect(retryAfter(20, 0.5)).toBeUndefined()
})

test('a receiver that asks for a pause gets it, within reason', () => {
  const asked = fc.integer({ min: 0, max: 10_000_000 })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 19 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      asked,
      (attempt, random, ms) => {
        const pause = retryAfter(attempt, random, ms) ?? 0
        expect(pause).toBeGreaterThanOrEqual(Math.min(ms, 300_000))
        expect(pause).toBeLessThanOrEqual(300_000)
      },
    ),
  )
})
