const HEADER_BYTES = 12

/** One RTP packet. */
export interface Rtp {
  readonly payloadType: number
  readonly marker?: boolean
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  /** One-byte header extension (RFC 8285) with one element of one byte. */
  readonly extension?: { readonly id: number; readonly value: number }
  readonly payload: Uint8Array
}

export function encodeRtp(packet: Rtp): Buffer {
  const { extension, payload } = packet
  const header = Buffer.alloc(HEADER_BYTES + (extension ? 8 : 0))
  header[0] = 0x80 | (extension ? 0x10 : 0)
  header[1] = (packet.marker ? 0x80 : 0) | packet.payloadType
  header.writeUInt16BE(packet.sequence & 0xffff, 2)
  header.writeUInt32BE(packet.timestamp >>> 0, 4)
  header.writeUInt32BE(packet.ssrc, 8)
  if (extension) {
    header.writeUInt16BE(0xbede, 12)
    header.writeUInt16BE(1, 14)
    header[16] = extension.id << 4
    header[17] = extension.value
  }
  return Buffer.concat([header, payload])
}

/** Undefined for RTCP, which comes through the same callback. */
export function decodeRtp(bytes: Buffer): Omit<Rtp, 'extension'> | undefined {
  const second = bytes[1] ?? 0
  if (bytes.length < HEADER_BYTES || (second >= 192 && second <= 223)) return undefined
  const first = bytes[0] ?? 0
  let start = HEADER_BYTES + 4 * (first & 0x0f)
  if (first & 0x10) start += 4 + 4 * bytes.readUInt16BE(start + 2)
  const end = first & 0x20 ? bytes.length - (bytes.at(-1) ?? 0) : bytes.length
  return {
    payloadType: second & 0x7f,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    payload: bytes.subarray(start, end),
  }
}

/** A sender report (RFC 3550 §6.4.1), by which a receiver aligns streams. */
export function encodeSenderReport(ssrc: number, timestamp: number, nowMs: number): Buffer {
  const report = Buffer.alloc(28)
  report[0] = 0x80
  report[1] = 200
  report.writeUInt16BE(6, 2)
  report.writeUInt32BE(ssrc, 4)
  report.writeUInt32BE(Math.floor(nowMs / 1_000) + 2_208_988_800, 8)
  report.writeUInt32BE(Math.floor(((nowMs % 1_000) / 1_000) * 2 ** 32), 12)
  report.writeUInt32BE(timestamp >>> 0, 16)
  return report
}
