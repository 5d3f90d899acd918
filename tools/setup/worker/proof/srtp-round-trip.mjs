import { createSocket } from 'node:dgram'
import { once } from 'node:events'

import {
  expectPayloads,
  isRtcp,
  mediaCodecs,
  payloadOf,
  rtpPackets,
  rtpParameters,
  within,
} from './rtp.mjs'

/**
 * @typedef {import('mediasoup').types.Worker} Worker
 * @typedef {import('mediasoup').types.PlainTransport} PlainTransport
 * @typedef {import('mediasoup').types.SrtpCryptoSuite} SrtpCryptoSuite
 */

/** @type {readonly SrtpCryptoSuite[]} */
export const suites = [
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_CM_128_HMAC_SHA1_80',
  'AES_CM_128_HMAC_SHA1_32',
]

/** By how many bytes each suite's authentication tag lengthens a packet. RFC 3711, RFC 7714. */
const TAG_BYTES = {
  AEAD_AES_256_GCM: 16,
  AEAD_AES_128_GCM: 16,
  AES_CM_128_HMAC_SHA1_80: 10,
  AES_CM_128_HMAC_SHA1_32: 4,
}

const PACKETS = 20

/**
 * Sends RTP from one router to another over SRTP through a socket of ours in the middle, which
 * checks that what passes is encrypted and tagged, and forges one packet that must not get through.
 * @param {Worker} worker
 * @param {SrtpCryptoSuite} suite
 */
export async function proveSrtp(worker, suite) {
  const [near, far] = await Promise.all([
    worker.createRouter({ mediaCodecs }),
    worker.createRouter({ mediaCodecs }),
  ])
  const options = {
    listenInfo: /** @type {const} */ ({ protocol: 'udp', ip: '127.0.0.1' }),
    enableSrtp: true,
    srtpCryptoSuite: suite,
  }
  const [out, back, source, sink] = await Promise.all([
    near.createPlainTransport(options),
    far.createPlainTransport(options),
    near.createDirectTransport(),
    far.createDirectTransport(),
  ])
  const ssrc = 0x50524f56
  const packets = rtpPackets(ssrc, PACKETS)
  const arrived = expectPayloads(packets)
  const tap = await openTap(out, back, suite, packets)
  try {
    await Promise.all([connect(out, back, tap.port), connect(back, out, tap.port)])
    const parameters = rtpParameters(ssrc)
    const producer = await source.produce({ kind: 'audio', rtpParameters: parameters })
    const carried = await out.consume({
      producerId: producer.id,
      rtpCapabilities: near.rtpCapabilities,
    })
    const remote = await back.produce({
      kind: 'audio',
      rtpParameters: { ...parameters, encodings: carried.rtpParameters.encodings ?? [] },
    })
    const received = await sink.consume({
      producerId: remote.id,
      rtpCapabilities: far.rtpCapabilities,
    })
    received.on('rtp', arrived.receive)
    for (const packet of packets) producer.send(packet)
    await within(arrived.all, () => `${suite}: ${arrived.remaining()} of ${PACKETS} packets lost`)
    const [stat] = await remote.getStats()
    tap.judge(stat?.packetCount ?? 0)
    return { suite, packets: PACKETS }
  } finally {
    tap.close()
    near.close()
    far.close()
  }
}

/**
 * @param {PlainTransport} local
 * @param {PlainTransport} peer
 * @param {number} port
 */
async function connect(local, peer, port) {
  if (!peer.srtpParameters) throw new Error('the transport has no SRTP parameters')
  await local.connect({ ip: '127.0.0.1', port, srtpParameters: peer.srtpParameters })
}

/**
 * A socket between two transports.
 * @param {PlainTransport} out
 * @param {PlainTransport} back
 * @param {SrtpCryptoSuite} suite
 * @param {readonly Buffer[]} packets
 */
async function openTap(out, back, suite, packets) {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const inClear = new Set(packets.map((packet) => payloadOf(packet).toString('hex')))
  const plainBytes = payloadOf(packets[0] ?? Buffer.alloc(12)).length
  let seen = 0
  /** @type {string | undefined} */
  let fault
  socket.on('message', (packet, from) => {
    if (from.port !== out.tuple.localPort) {
      socket.send(packet, out.tuple.localPort, '127.0.0.1')
      return
    }
    if (!isRtcp(packet)) {
      seen += 1
      const payload = payloadOf(packet)
      const growth = payload.length - plainBytes
      if (growth !== TAG_BYTES[suite]) fault ??= `${suite}: packets grow by ${growth} bytes`
      if (inClear.has(payload.subarray(0, plainBytes).toString('hex'))) {
        fault ??= `${suite}: packets are not encrypted`
      }
      if (seen === 1) socket.send(forged(packet), back.tuple.localPort, '127.0.0.1')
    }
    socket.send(packet, back.tuple.localPort, '127.0.0.1')
  })
  return {
    port: socket.address().port,
    close: () => socket.close(),
    /** @param {number} accepted How many packets the receiving transport let in. */
    judge(accepted) {
      if (accepted !== PACKETS) fault ??= `${suite}: ${accepted} packets accepted of ${PACKETS}`
      if (fault) throw new Error(fault)
    },
  }
}

/** A copy of a packet with one bit of its payload changed. @param {Buffer} packet */
function forged(packet) {
  const copy = Buffer.from(packet)
  const index = 12 + 4
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}
