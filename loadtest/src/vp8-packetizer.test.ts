import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeVp8Descriptor, packetizeVp8 } from './vp8-packetizer.ts'

test('the pieces of a frame fit and add up to it; the first one says so', () => {
  const frames = fc.uint8Array({ minLength: 1, maxLength: 5_000 })
  fc.assert(
    fc.property(frames, fc.nat(0x7fff), fc.integer({ min: 5, max: 1_200 }), (frame, id, room) => {
      const payloads = packetizeVp8(frame, id, room)
      const pieces = payloads.map((payload, index) => {
        const descriptor = decodeVp8Descriptor(payload)
        if (!descriptor.ok) throw new Error(descriptor.error.reason)
        expect(descriptor.value).toMatchObject({ startsFrame: index === 0, pictureId: id })
        expect(payload.length).toBeLessThanOrEqual(room)
        return payload.subarray(descriptor.value.bytes)
      })
      expect(Buffer.concat(pieces).equals(frame)).toBe(true)
    }),
  )
})

test.each([
  ['no extension', '10ff', { startsFrame: true, pictureId: undefined, bytes: 1 }],
  ['a short picture id', '908005ff', { startsFrame: true, pictureId: 5, bytes: 3 }],
  ['all extensions', '90f0810203e4ff', { startsFrame: true, pictureId: 258, bytes: 6 }],
  ['another partition', '11ff', { startsFrame: false, pictureId: undefined, bytes: 1 }],
])('reads a descriptor with %s (RFC 7741 §4.2)', (_, bytes, value) => {
  expect(decodeVp8Descriptor(Buffer.from(bytes, 'hex'))).toEqual({ ok: true, value })
})

test('a descriptor without a frame behind it is truncated', () => {
  for (const bytes of ['', '10', '90', '9080', '908081']) {
    expect(decodeVp8Descriptor(Buffer.from(bytes, 'hex'))).toMatchObject({ ok: false })
  }
})

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => void decodeVp8Descriptor(bytes)),
  )
})
