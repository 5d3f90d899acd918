import { randomBytes } from 'node:crypto'

/** One Opus stream, as a router is told of it. */
export const mediaCodecs = [
  /** @type {const} */ ({
    kind: 'audio',
    mimeType: 'audio/opus',
    preferredPayloadType: 111,
    clockRate: 48000,
    channels: 2,
  }),
]

/** The payload type of {@link mediaCodecs}. */
export const PAYLOAD_TYPE = 111

/** @param {number} ssrc */
export const rtpParameters = (ssrc) => ({
  codecs: [
    /** @type {const} */ ({
      mimeType: 'audio/opus',
      payloadType: PAYLOAD_TYPE,
      clockRate: 48000,
      channels: 2,
    }),
  ],
  encodings: [{ ssrc }],
  rtcp: { cname: 'proof' },
})

/**
 * Packets with random payloads: what arrives intact can only be what was sent.
 * @param {number} ssrc
 * @param {number} count
 * @returns {Buffer[]}
 */
export function rtpPackets(ssrc, count) {
  return Array.from({ length: count }, (_unused, index) => {
    const header = Buffer.alloc(12)
    header[0] = 0x80
    header[1] = PAYLOAD_TYPE
    header.writeUInt16BE(1000 + index, 2)
    header.writeUInt32BE(960 * index, 4)
    header.writeUInt32BE(ssrc, 8)
    return Buffer.concat([header, randomBytes(80)])
  })
}

/** Whether a packet is RTCP, by its second byte (RFC 5761 §4). @param {Uint8Array} packet */
export const isRtcp = (packet) => (packet[1] ?? 0) >= 192 && (packet[1] ?? 0) <= 223

/**
 * What an RTP packet carries. Its header, which an SFU rewrites, may hold extensions.
 * @param {Buffer} packet
 */
export function payloadOf(packet) {
  const first = packet[0] ?? 0
  const fixed = 12 + 4 * (first & 0x0f)
  const extended = (first & 0x10) !== 0
  return packet.subarray(extended ? fixed + 4 + 4 * packet.readUInt16BE(fixed + 2) : fixed)
}

/**
 * Collects payloads until every expected one has arrived.
 * @param {readonly Buffer[]} sent
 */
export function expectPayloads(sent) {
  const open = new Set(sent.map((packet) => payloadOf(packet).toString('hex')))
  /** @type {() => void} */
  let finish = () => undefined
  /** @type {Promise<void>} */
  const all = new Promise((resolve) => (finish = resolve))
  return {
    all,
    remaining: () => open.size,
    receive: (/** @type {Buffer} */ packet) => {
      open.delete(payloadOf(packet).toString('hex'))
      if (open.size === 0) finish()
    },
  }
}

/**
 * Waits for a promise, but not for ever.
 * @template T
 * @param {Promise<T>} promise
 * @param {() => string} complaint
 * @returns {Promise<T>}
 */
export async function within(promise, complaint) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  /** @type {Promise<never>} */
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), 8_000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
