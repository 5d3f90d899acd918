import type { ParticipantId, ProducerId } from '@parley/protocol'
import { onTestFinished } from 'vitest'
import { openMediaEnd, receive } from './media-peer.ts'
import { encodeRtp, encodeSenderReport } from './rtp.ts'
import { simulcastCamera } from './stage.ts'
import type { RoomDoor } from './stage.ts'

const FRAME_MS = 50
const REPORT_EVERY_FRAMES = 10
const CLOCK_PER_MS = 90
const PAYLOAD_TYPE = 101

/** VP8 payload descriptor (RFC 7741 §4.2) of a frame's start, then a key frame's first bits. */
const KEY_FRAME = [0x10, 0x00]

/** Enters a room and sends three layers of what looks like VP8 until the test ends. */
export async function sendCamera(
  room: RoomDoor,
  name: string,
  { packetsPerFrame }: { readonly packetsPerFrame: readonly [number, number, number] },
): Promise<{ peer: ParticipantId; producer: ProducerId }> {
  const { id: peer, session } = await room.enter(name)
  const ssrcs = simulcastCamera.encodings.map(({ ssrc }) => ssrc)
  const end = await openMediaEnd(session.send, {
    kind: 'video',
    direction: 'SendOnly',
    mid: simulcastCamera.mid,
    payloadType: PAYLOAD_TYPE,
    ssrcs,
  })
  const { dtlsParameters } = end
  const transport = session.send.id
  await room.must('transport.connect', { peer, transport, dtlsParameters })
  await end.connect()
  const { producer } = await room.must('producer.open', {
    peer,
    transport,
    source: 'camera',
    rtpParameters: simulcastCamera,
    paused: false,
  })
  const payload = Buffer.alloc(1_000, 0xaa)
  payload.set(KEY_FRAME)
  const sequences = ssrcs.map(() => 0)
  let frame = 0
  const timer = setInterval(() => {
    const timestamp = frame * FRAME_MS * CLOCK_PER_MS
    for (const [layer, ssrc] of ssrcs.entries()) {
      if (!end.track.isOpen()) return
      if (frame % REPORT_EVERY_FRAMES === 0) {
        end.track.sendMessageBinary(encodeSenderReport(ssrc, timestamp, Date.now()))
      }
      const packets = packetsPerFrame[layer] ?? 1
      for (let packet = 1; packet <= packets; packet++) {
        const sequence = sequences[layer] ?? 0
        sequences[layer] = sequence + 1
        end.track.sendMessageBinary(
          encodeRtp({
            payloadType: PAYLOAD_TYPE,
            marker: packet === packets,
            sequence,
            timestamp,
            ssrc,
            payload,
          }),
        )
      }
    }
    frame += 1
  }, FRAME_MS)
  onTestFinished(() => clearInterval(timer))
  return { peer, producer }
}

/** Enters a room and takes one video stream, looking at nothing of it. */
export async function watch(room: RoomDoor, name: string, producer: ProducerId) {
  const { peer, consumer, start } = await receive(room, { name, producer, kind: 'video' })
  await start()
  return { peer, consumer }
}
