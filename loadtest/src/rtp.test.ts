import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRtp, encodeRtp } from './rtp.ts'

const packets = fc.record({
  payloadType: fc.integer({ min: 0, max: 127 }),
  marker: fc.boolean(),
  sequence: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
  ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc.uint8Array({ maxLength: 1_200 }),
})

const extensions = fc.option(
  fc.record({ id: fc.integer({ min: 1, max: 14 }), value: fc.integer({ min: 0, max: 255 }) }),
  { nil: undefined },
)

test('any packet survives the wire, with and without an extension', () => {
  fc.assert(
    fc.property(packets, extensions, (packet, extension) => {
      const decoded = decodeRtp(encodeRtp(packet, extension))
      expect(
        decoded.ok && { ...decoded.value, payload: new Uint8Array(decoded.value.payload) },
      ).toEqual(packet)
    }),
  )
})

test('contributing sources and padding are not payload', () => {
  const bytes = Buffer.from('a16f0001000000020000000300000004aabb0002', 'hex')
  const decoded = decodeRtp(bytes)
  expect(decoded.ok && Buffer.from(decoded.value.payload).toString('hex')).toBe('aabb')
})

test('bytes that are no packet give the reason', () => {
  expect(decodeRtp(Buffer.alloc(5))).toMatchObject({ error: { reason: 'truncated' } })
  expect(decodeRtp(Buffer.alloc(12))).toMatchObject({ error: { reason: 'bad-version' } })
  const padded = Buffer.from('a06f000100000002000000030f', 'hex')
  expect(decodeRtp(padded)).toMatchObject({ error: { reason: 'bad-value' } })
})

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeRtp(Buffer.from(bytes))),
  )
})
