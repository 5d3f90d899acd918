import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeKeyId, encodeKeyId, epochByteOf, MAX_INCARNATION, MAX_LEAF } from './key-id.ts'
import type { KeyId } from './key-id.ts'

const keyIds: fc.Arbitrary<KeyId> = fc.record({
  incarnation: fc.integer({ min: 0, max: MAX_INCARNATION }),
  source: fc.constantFrom('microphone', 'camera', 'screen', 'screen-audio'),
  leaf: fc.integer({ min: 0, max: MAX_LEAF }),
  epochByte: fc.integer({ min: 0, max: 255 }),
})

it('[FRAME-2] reads back every key id, and gives no two the same number', () => {
  fc.assert(
    fc.property(keyIds, keyIds, (a, b) => {
      expect(decodeKeyId(encodeKeyId(a))).toEqual(a)
      expect(encodeKeyId(a) === encodeKeyId(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
  )
})

it('takes two bytes for a microphone and three for the rest', () => {
  const largest = { incarnation: 0, leaf: 255, epochByte: 255 } as const
  expect(encodeKeyId({ ...largest, source: 'microphone' })).toBe(0xffffn)
  expect(encodeKeyId({ ...largest, source: 'screen-audio' })).toBe(0x3ffffn)
})

it('knows no source beyond the four, and no number beyond its fields', () => {
  expect(decodeKeyId(0x4_0000n)).toBeUndefined()
  expect(decodeKeyId(2n ** 52n)).toBeUndefined()
})

it('names an epoch by its low bits', () => {
  expect(epochByteOf(0x1_23n)).toBe(0x23)
})
