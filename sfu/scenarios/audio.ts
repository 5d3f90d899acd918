import type { ParticipantId, ProducerId } from '@parley/protocol'
import { onTestFinished } from 'vitest'
import { openMediaEnd, receive } from './media-peer.ts'
import { decodeRtp, encodeRtp } from './rtp.ts'
import { AUDIO_LEVEL_EXTENSION, AUDIO_PAYLOAD_TYPE, AUDIO_SSRC, microphone } from './stage.ts'
import type { RoomDoor } from './stage.ts'
import { FRAME_SAMPLES, toneFrames } from './tone.ts'

const FRAME_MS = 20

/** −10 dBov: loud speech (RFC 6464, with the voice bit). */
const LOUD = 0x80 | 10

/** Enters a room and sends a tone until the test ends. */
export async function sendTone(
  room: RoomDoor,
  name: string,
  frequency: number,
): Promise<{ peer: ParticipantId; producer: ProducerId; stop: () => void }> {
  const { id: peer, session } = await room.enter(name)
  const end = await openMediaEnd(session.send, {
    kind: 'audio',
    direction: 'SendOnly',
    mid: microphone.mid,
    payloadType: AUDIO_PAYLOAD_TYPE,
    ssrcs: [AUDIO_SSRC],
  })
  const { dtlsParameters } = end
  await room.must('transport.connect', { peer, transport: session.send.id, dtlsParameters })
  await end.connect()
  const { producer } = await room.must('producer.open', {
    peer,
    transport: session.send.id,
    source: 'microphone',
    rtpParameters: microphone,
    paused: false,
  })
  // A whole number of periods, so that the loop has no click.
  const frames = toneFrames(frequency, 50)
  let sequence = 0
  const timer = setInterval(() => {
    const payload = frames[sequence % frames.length]
    if (payload === undefined || !end.track.isOpen()) return
    end.track.sendMessageBinary(
      encodeRtp({
        payloadType: AUDIO_PAYLOAD_TYPE,
        sequence,
        timestamp: sequence * FRAME_SAMPLES,
        ssrc: AUDIO_SSRC,
        extension: { id: AUDIO_LEVEL_EXTENSION, value: LOUD },
        payload,
      }),
    )
    sequence += 1
  }, FRAME_MS)
  const stop = () => clearInterval(timer)
  onTestFinished(stop)
  return { peer, producer, stop }
}

/** What a listener has heard. */
export interface Listener {
  readonly peer: ParticipantId
  /** Packets of the stream so far. */
  readonly packets: number
  /** The next `count` Opus frames from now on. */
  hear(count: number): Promise<readonly Uint8Array[]>
}

/** Enters a room and takes one audio stream. */
export async function listenTo(
  room: RoomDoor,
  name: string,
  producer: ProducerId,
): Promise<Listener> {
  const { peer, payloadType, track, start } = await receive(room, { name, producer, kind: 'audio' })
  let collect: ((payload: Uint8Array) => void) | undefined
  let packets = 0
  track.onMessage((bytes) => {
    const packet = decodeRtp(bytes)
    if (packet?.payloadType !== payloadType) return
    packets += 1
    collect?.(packet.payload)
  })
  await start()
  return {
    peer,
    get packets() {
      return packets
    },
    hear: (count) =>
      new Promise((resolve) => {
        const heard: Uint8Array[] = []
        collect = (payload) => {
          heard.push(payload)
          if (heard.length < count) return
          collect = undefined
          resolve(heard)
        }
      }),
  }
}
