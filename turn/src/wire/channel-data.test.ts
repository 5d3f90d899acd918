import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  CHANNEL_HEADER_BYTES,
  channelPayloadLength,
  encodeChannelData,
  isChannelNumber,
  looksLikeChannelData,
} from './channel-data.ts'

test('a datagram has no padding, a stream zeros up to four bytes', () => {
  const payload = Buffer.from('abcde')
  const datagram = encodeChannelData(0x4001, payload, { padded: false })
  const frame = encodeChannelData(0x4001, payload, { padded: true })
  expect(Buffer.from(datagram).toString('hex')).toBe('400100056162636465')
  expect(Buffer.from(frame).toString('hex')).toBe('400100056162636465000000')
})

test('a payload survives, padded or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.boolean(), (payload, padded) => {
      const bytes = encodeChannelData(0x4fff, payload, { padded })
      const length = channelPayloadLength(bytes)
      const end = CHANNEL_HEADER_BYTES + length
      expect(Buffer.from(bytes.subarray(CHANNEL_HEADER_BYTES, end))).toEqual(Buffer.from(payload))
      expect(bytes.subarray(end).every((byte) => byte === 0)).toBe(true)
    }),
  )
})

test('a length beyond the bytes is refused', () => {
  expect(channelPayloadLength(Buffer.from('40000005616263', 'hex'))).toBe(-1)
  expect(channelPayloadLength(Buffer.from('400000', 'hex'))).toBe(-1)
  expect(channelPayloadLength(Buffer.from('40000000', 'hex'))).toBe(0)
})

test.each([
  [0x3fff, false],
  [0x4000, true],
  [0x4fff, true],
  [0x5000, false],
  [0x7fff, false],
])('RFC 8656 §12: %i may be bound: %s', (number, expected) => {
  expect(isChannelNumber(number)).toBe(expected)
  expect(looksLikeChannelData(Uint8Array.of(number >>> 8, number & 255))).toBe(expected)
})
