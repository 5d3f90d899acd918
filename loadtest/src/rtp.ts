import { decoded, undecodable } from './decode-error.ts'
import type { Decoded } from './decode-error.ts'

const HEADER_BYTES = 12
const VERSION = 2
const ONE_BYTE_EXTENSIONS = 0xbede

/** One RTP packet (RFC 3550 §5.1). */
export interface RtpPacket {
  readonly payloadType: number
  readonly marker: boolean
  /** 16 bits. */
  readonly sequence: number
  /** 32 bits, in units of the codec's clock. */
  readonly timestamp: number
  readonly ssrc: number
  /** Without padding; a view into the packet's bytes when decoded. */
  readonly payload: Uint8Array
}

/** One header extension element of one byte (RFC 8285 §4.2). */
export interface ByteExtension {
  /** 1 to 14. */
  readonly id: number
  readonly value: number
}

/** Encodes a packet; numbers wrap to their field's width. */
export function encodeRtp(packet: RtpPacket, extension?: ByteExtension): Buffer {
  const headerBytes = HEADER_BYTES + (extension ? 8 : 0)
  const bytes = Buffer.alloc(headerBytes + packet.payload.length)
  bytes[0] = (VERSION << 6) | (extension ? 0x10 : 0)
  bytes[1] = (packet.marker ? 0x80 : 0) | packet.payloadType
  bytes.writeUInt16BE(packet.sequence & 0xffff, 2)
  bytes.writeUInt32BE(packet.timestamp >>> 0, 4)
  bytes.writeUInt32BE(packet.ssrc >>> 0, 8)
  if (extension) {
    bytes.writeUInt16BE(ONE_BYTE_EXTENSIONS, HEADER_BYTES)
    bytes.writeUInt16BE(1, HEADER_BYTES + 2)
    bytes[HEADER_BYTES + 4] = extension.id << 4
    bytes[HEADER_BYTES + 5] = extension.value
  }
  bytes.set(packet.payload, headerBytes)
  return bytes
}

/** Decodes a packet; skips contributing sources, extensions and padding. */
export function decodeRtp(bytes: Buffer): Decoded<RtpPacket> {
  if (bytes.length < HEADER_BYTES) return undecodable('truncated', bytes.length)
  const first = bytes.readUInt8(0)
  const second = bytes.readUInt8(1)
  if (first >> 6 !== VERSION) return undecodable('bad-version', 0)
  let start = HEADER_BYTES + 4 * (first & 0x0f)
  if (first & 0x10) {
    if (bytes.length < start + 4) return undecodable('truncated', start)
    start += 4 + 4 * bytes.readUInt16BE(start + 2)
  }
  if (bytes.length < start) return undecodable('truncated', start)
  const padding = first & 0x20 ? bytes.readUInt8(bytes.length - 1) : 0
  const end = bytes.length - padding
  if ((first & 0x20 && padding === 0) || end < start) {
    return undecodable('bad-value', bytes.length - 1)
  }
  return decoded({
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    payload: bytes.subarray(start, end),
  })
}
