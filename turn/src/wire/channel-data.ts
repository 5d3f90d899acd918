import { paddedLength, readUint16, writeUint16 } from './bytes.ts'

/** Bytes before the payload: channel number and length. RFC 8656 §12.4. */
export const CHANNEL_HEADER_BYTES = 4

/** Channel numbers that RFC 8656 §12 hands out; the rest of RFC 5766's range is reserved. */
export const FIRST_CHANNEL = 0x4000
export const LAST_CHANNEL = 0x4fff

/** Whether the number may be bound. RFC 8656 §12. */
export function isChannelNumber(value: number): boolean {
  return value >= FIRST_CHANNEL && value <= LAST_CHANNEL
}

/** Whether bytes are ChannelData rather than a STUN message, by their first byte. RFC 8656 §12.6. */
export function looksLikeChannelData(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0
  return first >= 0x40 && first <= 0x4f
}

/**
 * Length of the payload, which starts at {@link CHANNEL_HEADER_BYTES}; -1 when the bytes are too
 * short for what their header says. Bytes after the payload are padding. RFC 8656 §12.6.
 */
export function channelPayloadLength(bytes: Uint8Array): number {
  if (bytes.length < CHANNEL_HEADER_BYTES) return -1
  const length = readUint16(bytes, 2)
  return CHANNEL_HEADER_BYTES + length <= bytes.length ? length : -1
}

/**
 * Encodes ChannelData. `padded` rounds it up to four bytes with zeros, which streams require and
 * datagrams do without. RFC 8656 §12.5.
 */
export function encodeChannelData(
  channel: number,
  payload: Uint8Array,
  { padded }: { readonly padded: boolean },
): Uint8Array {
  const length = payload.length
  const size = CHANNEL_HEADER_BYTES + (padded ? paddedLength(length) : length)
  const bytes = Buffer.allocUnsafe(size)
  writeUint16(bytes, 0, channel)
  writeUint16(bytes, 2, length)
  bytes.set(payload, CHANNEL_HEADER_BYTES)
  // The buffer is not cleared at allocation: padding must not carry another client's bytes.
  bytes.fill(0, CHANNEL_HEADER_BYTES + length)
  return bytes
}
