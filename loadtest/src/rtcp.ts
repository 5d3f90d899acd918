const HEADER_BYTES = 4
const SENDER_REPORT = 200
const TRANSPORT_FEEDBACK = 205
const PAYLOAD_FEEDBACK = 206
const GENERIC_NACK = 1
const PICTURE_LOSS = 1
const FULL_INTRA_REQUEST = 4

/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_EPOCH_OFFSET_S = 2_208_988_800

/** What a receiver asks of a sender. */
export type Feedback =
  | { readonly type: 'keyFrameWanted'; readonly ssrc: number }
  | { readonly type: 'packetsLost'; readonly ssrc: number; readonly sequences: readonly number[] }

/** Tells RTCP from RTP on one transport (RFC 5761 §4). */
export function isRtcp(bytes: Uint8Array): boolean {
  const type = bytes[1] ?? 0
  return type >= 192 && type <= 223
}

/**
 * Picks the requests out of a compound packet: PLI and NACK (RFC 4585 §6), FIR (RFC 5104 §4.3.1).
 * The rest, and whatever follows a malformed part, is passed over.
 */
export function decodeFeedback(bytes: Buffer): readonly Feedback[] {
  const found: Feedback[] = []
  let start = 0
  while (start + HEADER_BYTES <= bytes.length) {
    const end = start + 4 * (bytes.readUInt16BE(start + 2) + 1)
    if (end > bytes.length) break
    found.push(...feedbackIn(bytes.subarray(start, end)))
    start = end
  }
  return found
}

/** A sender report without report blocks (RFC 3550 §6.4.1), by which layers are aligned. */
export function encodeSenderReport(report: {
  readonly ssrc: number
  readonly timestamp: number
  /** Wall clock of that timestamp, ms since 1970. */
  readonly wallMs: number
  readonly packets: number
  readonly payloadBytes: number
}): Buffer {
  const bytes = Buffer.alloc(28)
  const fraction = (report.wallMs % 1_000) / 1_000
  bytes[0] = 0x80
  bytes[1] = SENDER_REPORT
  bytes.writeUInt16BE(6, 2)
  bytes.writeUInt32BE(report.ssrc >>> 0, 4)
  bytes.writeUInt32BE((Math.floor(report.wallMs / 1_000) + NTP_EPOCH_OFFSET_S) >>> 0, 8)
  bytes.writeUInt32BE(Math.floor(fraction * 2 ** 32), 12)
  bytes.writeUInt32BE(report.timestamp >>> 0, 16)
  bytes.writeUInt32BE(report.packets >>> 0, 20)
  bytes.writeUInt32BE(report.payloadBytes >>> 0, 24)
  return bytes
}

function feedbackIn(part: Buffer): readonly Feedback[] {
  const format = part.readUInt8(0) & 0x1f
  const type = part.readUInt8(1)
  if (part.length < 12) return []
  const ssrc = part.readUInt32BE(8)
  if (type === PAYLOAD_FEEDBACK && format === PICTURE_LOSS) {
    return [{ type: 'keyFrameWanted', ssrc }]
  }
  if (type === PAYLOAD_FEEDBACK && format === FULL_INTRA_REQUEST) {
    return words(part, 8).map((at) => ({ type: 'keyFrameWanted', ssrc: part.readUInt32BE(at) }))
  }
  if (type === TRANSPORT_FEEDBACK && format === GENERIC_NACK) {
    const sequences = words(part, 4).flatMap((at) => lostAt(part, at))
    return [{ type: 'packetsLost', ssrc, sequences }]
  }
  return []
}

/** Offsets of the entries of `size` bytes behind the two SSRCs. */
function words(part: Buffer, size: number): number[] {
  const count = Math.floor((part.length - 12) / size)
  return Array.from({ length: count }, (_, index) => 12 + index * size)
}

function lostAt(part: Buffer, at: number): number[] {
  const first = part.readUInt16BE(at)
  const following = part.readUInt16BE(at + 2)
  const others = Array.from({ length: 16 }, (_, bit) => bit)
    .filter((bit) => following & (1 << bit))
    .map((bit) => (first + bit + 1) & 0xffff)
  return [first, ...others]
}
