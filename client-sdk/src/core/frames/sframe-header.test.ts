import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeSframeHeader, encodeSframeHeader } from './sframe-header.ts'

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

it('reads back what it writes, whatever follows', () => {
  fc.assert(
    fc.property(uint64, uint64, fc.uint8Array(), (kid, ctr, rest) => {
      const header = encodeSframeHeader({ kid, ctr })
      const read = decodeSframeHeader(new Uint8Array([...header, ...rest]))
      expect(read).toEqual({ kid, ctr, length: header.length })
    }),
  )
})

it('reads any bytes to nothing, or to a header that is written the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
      const read = decodeSframeHeader(bytes)
      if (!read) return
      expect([...encodeSframeHeader(read)]).toEqual([...bytes.subarray(0, read.length)])
    }),
  )
})

it.each([
  ['nothing', []],
  ['a key id that is cut short', [0x90, 1]],
  ['a counter that is cut short', [0x1f, 1, 2, 3]],
  ['a key id with a zero in front', [0x91, 0, 9, 0]],
  ['a counter that needs no byte of its own', [0x18, 7]],
])('refuses %s', (_what, bytes) => {
  expect(decodeSframeHeader(new Uint8Array(bytes))).toBeUndefined()
})
