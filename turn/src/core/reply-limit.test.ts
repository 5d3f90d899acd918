import { expect, test } from 'vitest'
import { endpoint } from '../testing.ts'
import { ReplyLimit } from './reply-limit.ts'

test('an address gets its replies per second and then no more', () => {
  const limit = new ReplyLimit(5, 1)
  const { address } = endpoint('198.51.100.7', 0)
  const taken = Array.from({ length: 8 }, () => limit.take(address, 10_000))
  expect(taken.filter(Boolean)).toHaveLength(5)
  expect(limit.take(address, 10_999)).toBe(false)
  expect(limit.take(address, 11_000)).toBe(true)
})

test('another address has a budget of its own', () => {
  const limit = new ReplyLimit(1, 1)
  expect(limit.take(endpoint('198.51.100.7', 0).address, 0)).toBe(true)
  expect(limit.take(endpoint('198.51.100.8', 0).address, 0)).toBe(true)
})

test('the addresses of one IPv6 network share one', () => {
  const limit = new ReplyLimit(1, 1)
  expect(limit.take(endpoint('2001:db8:1:2::1', 0).address, 0)).toBe(true)
  expect(limit.take(endpoint('2001:db8:1:2:9::7', 0).address, 0)).toBe(false)
  expect(limit.take(endpoint('2001:db8:1:3::1', 0).address, 0)).toBe(true)
})

test('addresses spread over the table', () => {
  const limit = new ReplyLimit(1, 12_345)
  let shared = 0
  for (let host = 0; host < 256; host++) {
    if (!limit.take(endpoint(`198.51.100.${host}`, 0).address, 0)) shared++
  }
  expect(shared).toBeLessThan(32)
})
