import { decoded, undecodable } from './decode-error.ts'
import type { Decoded } from './decode-error.ts'

/** Descriptor with a picture id of 15 bits (RFC 7741 §4.2). */
const DESCRIPTOR_BYTES = 4

/** Payload of one packet: leaves room for RTP, SRTP, UDP and IPv6 headers in 1,280 bytes. */
const MAX_PAYLOAD_BYTES = 1_180

/** What stands before a piece of a VP8 frame. */
export interface Vp8Descriptor {
  /** The piece is the first one of its frame. */
  readonly startsFrame: boolean
  /** 7 or 15 bits; absent where the sender counts none. */
  readonly pictureId: number | undefined
  /** Where the piece of the frame begins. */
  readonly bytes: number
}

/** Cuts a frame into RTP payloads of nearly equal size; the last one wants the marker bit. */
export function packetizeVp8(
  frame: Uint8Array,
  pictureId: number,
  maxPayloadBytes = MAX_PAYLOAD_BYTES,
): readonly Uint8Array[] {
  const room = maxPayloadBytes - DESCRIPTOR_BYTES
  const count = Math.max(1, Math.ceil(frame.length / room))
  const size = Math.ceil(frame.length / count)
  return Array.from({ length: count }, (_, index) => {
    const piece = frame.subarray(index * size, (index + 1) * size)
    const payload = new Uint8Array(DESCRIPTOR_BYTES + piece.length)
    payload[0] = 0x80 | (index === 0 ? 0x10 : 0)
    payload[1] = 0x80
    payload[2] = 0x80 | ((pictureId >> 8) & 0x7f)
    payload[3] = pictureId & 0xff
    payload.set(piece, DESCRIPTOR_BYTES)
    return payload
  })
}

/** Reads a payload descriptor (RFC 7741 §4.2). A payload without any of the frame is `truncated`. */
export function decodeVp8Descriptor(payload: Uint8Array): Decoded<Vp8Descriptor> {
  const [first = 0, flags = 0] = payload
  const startsFrame = (first & 0x10) !== 0 && (first & 0x07) === 0
  let at = 1
  let pictureId: number | undefined
  if (first & 0x80) {
    at = 2
    if (flags & 0x80) {
      const high = payload[at] ?? 0
      const long = (high & 0x80) !== 0
      pictureId = long ? ((high & 0x7f) << 8) | (payload[at + 1] ?? 0) : high
      at += long ? 2 : 1
    }
    if (flags & 0x40) at += 1
    if (flags & 0x30) at += 1
  }
  if (payload.length <= at) return undecodable('truncated', payload.length)
  return decoded({ startsFrame, pictureId, bytes: at })
}
