import type { UserId } from '@parley/protocol'
import { expect, test } from 'vitest'
import { REVOCATION_LIFE_MS, Revocations } from './revocations.ts'

const alice = 'alice' as UserId
const bob = 'bob' as UserId
const day = 86_400_000

test('[REVOKE-1] a token is known by its id, a user by when his tokens were made', () => {
  const revoked = new Revocations()
  revoked.add({ tokenId: 't1' }, day)
  revoked.add({ user: bob }, day)
  expect(revoked.covers(alice, { tokenId: 't1', issuedAt: 2 * day })).toBe(true)
  expect(revoked.covers(alice, { tokenId: 't2', issuedAt: 0 })).toBe(false)
  expect(revoked.covers(bob, { tokenId: undefined, issuedAt: day - 1_000 })).toBe(true)
  expect(revoked.covers(bob, { tokenId: undefined, issuedAt: undefined })).toBe(true)
  expect(revoked.covers(bob, { tokenId: undefined, issuedAt: day + 1_000 })).toBe(false)
})

test('are forgotten by age and number, the oldest first', () => {
  const revoked = new Revocations(2)
  for (const tokenId of ['t1', 't2', 't3']) revoked.add({ tokenId }, day)
  const known = (tokenId: string) => revoked.covers(alice, { tokenId, issuedAt: 0 })
  expect(['t1', 't2', 't3'].map(known)).toEqual([false, true, true])
  revoked.add({ tokenId: 't4' }, day + REVOCATION_LIFE_MS)
  expect(['t2', 't3', 't4'].map(known)).toEqual([false, false, true])
})
