import { expect, test } from 'vitest'
import { endpoint } from '../testing.ts'
import { NONCE_LIFETIME_MS, isFreshNonce, issueNonce } from './nonce.ts'

const key = new Uint8Array(32).fill(1)
const client = endpoint('198.51.100.7', 40_000)
const now = 1_800_000_000_000
const nonce = issueNonce(key, client, now)

test('a nonce is good for its lifetime, from its address', () => {
  expect(nonce).toMatch(/^[0-9a-f]{24}$/)
  expect(isFreshNonce(nonce, key, client, now)).toBe(true)
  expect(isFreshNonce(nonce, key, client, now + NONCE_LIFETIME_MS - 1)).toBe(true)
  expect(isFreshNonce(nonce, key, client, now + NONCE_LIFETIME_MS)).toBe(false)
})

test('a nonce from the future is refused beyond a small skew', () => {
  expect(isFreshNonce(nonce, key, client, now - 5_000)).toBe(true)
  expect(isFreshNonce(nonce, key, client, now - 5_001)).toBe(false)
})

test('another address, port or key does not fit', () => {
  expect(isFreshNonce(nonce, key, endpoint('198.51.100.7', 40_001), now)).toBe(false)
  expect(isFreshNonce(nonce, key, endpoint('198.51.100.8', 40_000), now)).toBe(false)
  expect(isFreshNonce(nonce, new Uint8Array(32), client, now)).toBe(false)
})

test('no character may change', () => {
  for (let index = 0; index < nonce.length; index++) {
    const other = nonce[index] === '0' ? '1' : '0'
    const forged = nonce.slice(0, index) + other + nonce.slice(index + 1)
    expect(isFreshNonce(forged, key, client, now), forged).toBe(false)
  }
})

test.each([
  '',
  nonce.slice(1),
  `${nonce}0`,
  nonce.toUpperCase().replace(/\d/g, 'A'),
  '\0'.repeat(24),
])('%j is no nonce', (text) => {
  expect(isFreshNonce(text, key, client, now)).toBe(false)
})
