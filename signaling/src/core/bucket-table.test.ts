import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BucketTable } from './bucket-table.ts'

const limit = { burst: 5, perSecond: 10 }

test('no key gets more than its burst and its rate, however it spends', () => {
  const step = fc.record({
    key: fc.nat(2),
    afterMs: fc.nat(200),
    cost: fc.integer({ min: 1, max: 5 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new BucketTable<number>(limit, 10)
      const spent = new Map<number, number>()
      let now = 0
      for (const { key, afterMs, cost } of steps) {
        now += afterMs
        if (table.take(key, now, cost) === undefined) spent.set(key, (spent.get(key) ?? 0) + cost)
      }
      for (const total of spent.values()) {
        expect(total).toBeLessThanOrEqual(limit.burst + (now / 1_000) * limit.perSecond + 1e-6)
      }
    }),
  )
})

test('who is refused is told when he is let in', () => {
  const table = new BucketTable<string>(limit, 10)
  for (let i = 0; i < limit.burst; i++) expect(table.take('a', 0)).toBeUndefined()
  expect(table.take('a', 0)).toBe(100)
  expect(table.take('a', 50)).toBe(50)
  expect(table.take('a', 100)).toBeUndefined()
  expect(table.take('b', 0)).toBeUndefined()
})

test('holds as many keys as it may; the one seen longest ago goes', () => {
  const table = new BucketTable<number>(limit, 3)
  for (const key of [1, 2, 3, 1, 4]) table.take(key, 0, 5)
  expect(table.size).toBe(3)
  expect(table.take(1, 0)).toBe(100)
  expect(table.take(2, 0)).toBeUndefined()
})
