// Loaded into the stack's process before it starts (`node --import`): listens to what mediasoup makes,
// and takes a copy of every stream behind SRTP, as whoever runs the node could. It tells the test
// over IPC. Nothing in the node knows of it.

import { observer } from 'mediasoup'
import type { types } from 'mediasoup'

/** How often senders are asked for a whole picture: a decoder can begin with no other. */
const KEY_FRAME_EVERY_MS = 2_000

/** One RTP packet as the node holds it. */
export interface TappedPacket {
  readonly producer: string
  readonly mimeType: string
  readonly packet: Uint8Array
}

observer.on('newworker', (worker: types.Worker) => {
  worker.observer.on('newrouter', (router) => {
    const direct = router.createDirectTransport()
    router.observer.on('newtransport', (transport) => {
      transport.observer.on('newproducer', (producer) => void tap(router, direct, producer))
    })
  })
})

async function tap(
  router: types.Router,
  direct: Promise<types.DirectTransport>,
  producer: types.Producer,
): Promise<void> {
  const transport = await direct
  const { rtpCapabilities } = router
  // As to another node: all layers, not only the one that somebody watches.
  const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities, pipe: true })
  const [codec] = consumer.rtpParameters.codecs
  const { mimeType = '', payloadType } = codec ?? {}
  consumer.on('rtp', (packet) => {
    if (((packet[1] ?? 0) & 0x7f) !== payloadType) return
    process.send?.({ producer: producer.id, mimeType, packet } satisfies TappedPacket)
  })
  if (producer.kind === 'audio') return
  const ask = () => {
    // A worker that dies meanwhile answers no more.
    consumer.requestKeyFrame().catch(() => undefined)
  }
  const asking = setInterval(ask, KEY_FRAME_EVERY_MS)
  consumer.observer.on('close', () => clearInterval(asking))
}
