import { WebRtcPeer } from './webrtc-peer.mjs'
import { expectPayloads, isRtcp, mediaCodecs, rtpPackets, rtpParameters, within } from './rtp.mjs'

/** @typedef {import('mediasoup').types.Worker} Worker */

const PACKETS = 20
const MESSAGES = ['a short message', 'x'.repeat(20_000)]
const SEND_SSRC = 0x53454e44
const SEND_CHANNEL = 1

/**
 * Sends RTP and data-channel messages from one WebRTC peer through the worker to another: ICE,
 * DTLS, SRTP and SCTP with a stack that is not the worker's own.
 * @param {Worker} worker
 */
export async function proveDtls(worker) {
  const router = await worker.createRouter({ mediaCodecs })
  const transports = await Promise.all([0, 1].map(() => createTransport(router)))
  const [into, outOf] = transports
  if (!into || !outOf) throw new Error('no transports')

  const sent = rtpPackets(SEND_SSRC, PACKETS)
  const producer = await into.produce({ kind: 'audio', rtpParameters: rtpParameters(SEND_SSRC) })
  const dataProducer = await into.produceData({
    sctpStreamParameters: { streamId: SEND_CHANNEL, ordered: true },
  })
  const consumer = await outOf.consume({
    producerId: producer.id,
    rtpCapabilities: router.rtpCapabilities,
  })
  const dataConsumer = await outOf.consumeData({ dataProducerId: dataProducer.id })
  const sender = new WebRtcPeer('sender', into, {
    direction: 'SendOnly',
    ssrc: SEND_SSRC,
    channelId: SEND_CHANNEL,
  })
  const receiver = new WebRtcPeer('receiver', outOf, {
    direction: 'RecvOnly',
    ssrc: consumer.rtpParameters.encodings?.[0]?.ssrc ?? 0,
    channelId: dataConsumer.sctpStreamParameters?.streamId ?? 0,
  })
  try {
    const open = Promise.all([sender.connect(), receiver.connect()])
    await within(open, () => `no DTLS connection (${sender.state()}, ${receiver.state()})`)
    const arrived = expectPayloads(sent)
    receiver.track.onMessage((packet) => {
      if (!isRtcp(packet)) arrived.receive(packet)
    })
    for (const packet of sent) sender.track.sendMessageBinary(packet)
    await within(arrived.all, () => `DTLS-SRTP: ${arrived.remaining()} of ${PACKETS} packets lost`)
    await proveDataChannel(sender, receiver)
    return { packets: PACKETS, messages: MESSAGES.length }
  } finally {
    sender.close()
    receiver.close()
    router.close()
  }
}

/** @param {import('mediasoup').types.Router} router */
function createTransport(router) {
  return router.createWebRtcTransport({
    listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
    enableSctp: true,
  })
}

/**
 * @param {WebRtcPeer} sender
 * @param {WebRtcPeer} receiver
 */
async function proveDataChannel(sender, receiver) {
  const open = new Set(MESSAGES)
  /** @type {Promise<void>} */
  const all = new Promise((resolve) => {
    receiver.channel.onMessage((message) => {
      if (typeof message === 'string') open.delete(message)
      if (open.size === 0) resolve()
    })
  })
  for (const message of MESSAGES) sender.channel.sendMessage(message)
  await within(all, () => 'messages were lost on the data channel')
}
