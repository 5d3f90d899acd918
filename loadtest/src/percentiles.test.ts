import { expect, test } from 'vitest'
import { summarize } from './percentiles.ts'

test('percentiles are values that were measured', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(summarize(values)).toEqual({ count: 100, p50: 50, p95: 95, max: 100 })
})

test('of one value all are that one; of none there is no summary', () => {
  expect(summarize([7])).toEqual({ count: 1, p50: 7, p95: 7, max: 7 })
  expect(summarize([])).toBeUndefined()
})
