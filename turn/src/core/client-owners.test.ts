import { expect, test } from 'vitest'
import { CLIENT_OWNERS_BYTES, ClientOwners } from './client-owners.ts'

test('a client is its owner’s until that lets go, or dies', () => {
  const memory = new ArrayBuffer(CLIENT_OWNERS_BYTES)
  const [one, two] = [new ClientOwners(memory, 0), new ClientOwners(memory, 1)]
  one.claim(0xdead_beef)
  expect(two.otherOwner(0xdead_beef)).toBe(0)
  expect(one.otherOwner(0xdead_beef)).toBeUndefined()
  expect(two.otherOwner(0xdead_beee)).toBeUndefined()
  two.release(0xdead_beef)
  expect(two.otherOwner(0xdead_beef)).toBe(0)
  one.release(0xdead_beef)
  expect(two.otherOwner(0xdead_beef)).toBeUndefined()
  one.claim(7)
  one.forget()
  expect(two.otherOwner(7)).toBeUndefined()
})

test('clients of one neighbourhood are told apart, and the ninth is not noted', () => {
  const memory = new ArrayBuffer(CLIENT_OWNERS_BYTES)
  const [one, two] = [new ClientOwners(memory, 0), new ClientOwners(memory, 1)]
  const hashes = Array.from({ length: 9 }, (_, index) => 5 + index * 0x1_0000)
  for (const hash of hashes) one.claim(hash)
  expect(hashes.map((hash) => two.otherOwner(hash))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, undefined])
  for (const hash of hashes) one.release(hash)
  expect(hashes.filter((hash) => two.otherOwner(hash) !== undefined)).toEqual([])
})
