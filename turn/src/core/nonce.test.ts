import { expect, test } from 'vitest'
import { endpoint } from '../testing.ts'
import { NONCE_LIFETIME_MS, isFreshNonce, issueNonce, noncePrefix } from './nonce.ts'

const key = {
  key: new Uint8Array(32).fill(1),
  prefix: noncePrefix({ usernameAnonymity: false }),
}
const client = endpoint('198.51.100.7', 40_000)
const now = 1_800_000_000_000
const nonce = issueNonce(key, client, now)

test('a nonce is good for its lifetime, from its address', () => {
  expect(nonce).toMatch(/^obMatJos2AAAB[A-Za-z0-9+/]{16}$/)
  expect(isFreshNonce(nonce, key, client, now)).toBe(true)
  expect(isFreshNonce(nonce, key, client, now + NONCE_LIFETIME_MS - 1)).toBe(true)
  expect(isFreshNonce(nonce, key, client, now + NONCE_LIFETIME_MS)).toBe(false)
})

test('a nonce says which security features there are, the first bit on the right', () => {
  expect(noncePrefix({ usernameAnonymity: false })).toBe('obMatJos2AAAB')
  expect(noncePrefix({ usernameAnonymity: true })).toBe('obMatJos2AAAD')
})

test('a nonce whose features were cut back is not ours', () => {
  const other = { ...key, prefix: noncePrefix({ usernameAnonymity: true }) }
  const promised = issueNonce(other, client, now)
  expect(isFreshNonce(promised, other, client, now)).toBe(true)
  expect(isFreshNonce(promised.replace('AAAD', 'AAAB'), key, client, now)).toBe(false)
  expect(isFreshNonce(promised.replace('AAAD', 'AAAA'), other, client, now)).toBe(false)
  expect(isFreshNonce(promised.slice('obMatJos2AAAD'.length), other, client, now)).toBe(false)
})

test('a nonce from the future is refused beyond a small skew', () => {
  expect(isFreshNonce(nonce, key, client, now - 5_000)).toBe(true)
  expect(isFreshNonce(nonce, key, client, now - 5_001)).toBe(false)
})

test('another address, port or key does not fit', () => {
  expect(isFreshNonce(nonce, key, endpoint('198.51.100.7', 40_001), now)).toBe(false)
  expect(isFreshNonce(nonce, key, endpoint('198.51.100.8', 40_000), now)).toBe(false)
  expect(isFreshNonce(nonce, { ...key, key: new Uint8Array(32) }, client, now)).toBe(false)
})

test('no character may change', () => {
  for (let index = 0; index < nonce.length; index++) {
    const other = nonce[index] === 'A' ? 'B' : 'A'
    const forged = nonce.slice(0, index) + other + nonce.slice(index + 1)
    expect(isFreshNonce(forged, key, client, now), forged).toBe(false)
  }
})

test.each(['', nonce.slice(1), `${nonce}0`, `${nonce}====`, nonce.toUpperCase(), '\0'.repeat(24)])(
  '%j is no nonce',
  (text) => {
    expect(isFreshNonce(text, key, client, now)).toBe(false)
  },
)
