/** Frames of one stream, put together from its RTP packets, late and repeated ones in their place. */
export function framesOf(mimeType: string, packets: readonly Uint8Array[]): Uint8Array[] {
  const depacketize = depacketizers[mimeType.toLowerCase()]
  if (!depacketize) throw new Error(`no depacketizer for ${mimeType}`)
  const frames: Uint8Array[] = []
  let timestamp: number | undefined
  let pieces: Uint8Array[] = []
  for (const packet of inOrder(packets)) {
    const rtp = readRtp(packet)
    if (rtp.timestamp !== timestamp && pieces.length > 0) {
      frames.push(Buffer.concat(pieces))
      pieces = []
    }
    timestamp = rtp.timestamp
    const piece = rtp.payload.length > 0 ? depacketize(rtp.payload) : rtp.payload
    if (piece.length > 0) pieces.push(piece)
  }
  return frames
}

/** By sequence number (RFC 3550 §5.1), which goes round at 2^16; each packet once. */
function inOrder(packets: readonly Uint8Array[]): Uint8Array[] {
  const bySequence = new Map<number, Uint8Array>()
  let newest: number | undefined
  for (const packet of packets) {
    const short = Buffer.from(packet).readUInt16BE(2)
    newest ??= short
    // The difference as a signed number of 16 bits: a late packet lies behind the newest.
    const sequence = newest + (((short - newest) << 16) >> 16)
    newest = Math.max(newest, sequence)
    bySequence.set(sequence, packet)
  }
  return [...bySequence].sort(([a], [b]) => a - b).map(([, packet]) => packet)
}

const START_CODE = Buffer.from([0, 0, 0, 1])
const NOTHING = new Uint8Array()
const STAP_A = 24
const FU_A = 28

const depacketizers: Readonly<Record<string, (payload: Uint8Array) => Uint8Array>> = {
  'audio/opus': (payload) => payload,
  'video/vp8': (payload) => payload.subarray(vp8DescriptorBytes(payload)),
  'video/vp9': vp9LowestLayer,
  'video/h264': h264Units,
}

function readRtp(packet: Uint8Array) {
  const bytes = Buffer.from(packet)
  const first = bytes.readUInt8(0)
  let start = 12 + 4 * (first & 0x0f)
  if (first & 0x10) start += 4 + 4 * bytes.readUInt16BE(start + 2)
  const end = first & 0x20 ? bytes.length - (bytes.at(-1) ?? 0) : bytes.length
  return { timestamp: bytes.readUInt32BE(4), payload: bytes.subarray(start, end) }
}

/** RFC 7741 §4.2. */
function vp8DescriptorBytes(payload: Uint8Array): number {
  const [first = 0, extension = 0] = payload
  if (!(first & 0x80)) return 1
  let length = 2
  if (extension & 0x80) length += (payload[length] ?? 0) & 0x80 ? 2 : 1
  if (extension & 0x40) length++
  if (extension & 0x30) length++
  return length
}

/** RFC 9628 §4.2. Of several spatial layers the lowest, which can be decoded by itself. */
function vp9LowestLayer(payload: Uint8Array): Uint8Array {
  const first = payload[0] ?? 0
  let length = 1
  if (first & 0x80) length += (payload[length] ?? 0) & 0x80 ? 2 : 1
  const flexible = (first & 0x10) !== 0
  if (first & 0x20) {
    const layer = ((payload[length] ?? 0) >> 1) & 7
    if (layer > 0) return NOTHING
    length += flexible ? 1 : 2
  }
  if (flexible && first & 0x40) while ((payload[length++] ?? 0) & 1);
  if (first & 0x02) length += scalabilityBytes(payload.subarray(length))
  return payload.subarray(length)
}

function scalabilityBytes(structure: Uint8Array): number {
  const first = structure[0] ?? 0
  let length = 1
  if (first & 0x10) length += 4 * ((first >> 5) + 1)
  if (!(first & 0x08)) return length
  let pictures = structure[length++] ?? 0
  for (; pictures > 0; pictures--) length += 1 + (((structure[length] ?? 0) >> 2) & 3)
  return length
}

/** RFC 6184 §5.6 to §5.8. */
function h264Units(payload: Uint8Array): Uint8Array {
  const [indicator = 0, header = 0] = payload
  const type = indicator & 0x1f
  if (type === FU_A) {
    const rest = payload.subarray(2)
    if (!(header & 0x80)) return rest
    return Buffer.concat([START_CODE, Buffer.from([(indicator & 0xe0) | (header & 0x1f)]), rest])
  }
  if (type !== STAP_A) return Buffer.concat([START_CODE, payload])
  const units: Uint8Array[] = []
  for (let at = 1; at + 2 <= payload.length;) {
    const length = ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0)
    units.push(START_CODE, payload.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return Buffer.concat(units)
}
