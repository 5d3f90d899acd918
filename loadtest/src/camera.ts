import { randomInt } from 'node:crypto'
import { FrameClock } from './frame-clock.ts'
import type { Ivf } from './ivf.ts'
import { VP8_CLOCK_HZ, VP8_PAYLOAD_TYPE } from './ortc.ts'
import type { Feedback } from './rtcp.ts'
import { RtpSender } from './rtp-sender.ts'
import { packetizeVp8 } from './vp8-packetizer.ts'

const FRAMES_BETWEEN_REPORTS = 15

interface Layer {
  readonly rtp: RtpSender
  readonly film: Ivf
  /** Position in the film; 0 is its key frame. */
  position: number
  pictureId: number
}

/**
 * Sends films in a loop, one per simulcast layer, as a browser sends its camera: starts a layer again
 * at its key frame when one is asked for, repeats lost packets, and stops layers that nobody takes.
 */
export class Camera {
  readonly #layers: readonly Layer[]
  readonly #clock: FrameClock
  #topLayer: number

  constructor(options: {
    /** One per film. */
    readonly ssrcs: readonly number[]
    /** The smallest first; all of one frame rate. */
    readonly films: readonly Ivf[]
    readonly send: (bytes: Buffer) => void
  }) {
    const { ssrcs, films, send } = options
    this.#layers = films.map((film, index) => ({
      rtp: new RtpSender({ ssrc: ssrcs[index] ?? 0, payloadType: VP8_PAYLOAD_TYPE, send }),
      film,
      position: 0,
      pictureId: randomInt(1, 2 ** 15),
    }))
    this.#topLayer = films.length - 1
    const framesPerSecond = films[0]?.framesPerSecond ?? 1
    const ticksPerFrame = VP8_CLOCK_HZ / framesPerSecond
    this.#clock = new FrameClock(1_000 / framesPerSecond, (frame) => {
      const timestamp = Math.round(frame * ticksPerFrame)
      const reports = frame % FRAMES_BETWEEN_REPORTS === 0
      for (const layer of this.#layers.slice(0, this.#topLayer + 1)) {
        sendNext(layer, timestamp)
        if (reports) layer.rtp.report(timestamp, Date.now())
      }
    })
  }

  /** Frames that went out, and frames that the program was too late to send. */
  get frames(): { readonly sent: number; readonly skipped: number } {
    return { sent: this.#clock.sent, skipped: this.#clock.skipped }
  }

  start(): void {
    this.#clock.start()
  }

  stop(): void {
    this.#clock.stop()
  }

  /** Follows `sfu.demand`: layers above `top` stop, layers that come back start with a key frame. */
  limit(top: number): void {
    for (const layer of this.#layers.slice(this.#topLayer + 1, top + 1)) layer.position = 0
    this.#topLayer = top
  }

  take(feedback: Feedback): void {
    const layer = this.#layers.find(({ rtp }) => rtp.ssrc === feedback.ssrc)
    if (!layer) return
    if (feedback.type === 'keyFrameWanted') layer.position = 0
    else layer.rtp.repeat(feedback.sequences)
  }
}

function sendNext(layer: Layer, timestamp: number): void {
  const frame = layer.film.frames[layer.position]
  if (frame === undefined) return
  layer.rtp.sendFrame(packetizeVp8(frame, layer.pictureId), { timestamp, marked: true })
  layer.pictureId = (layer.pictureId + 1) & 0x7fff
  layer.position = (layer.position + 1) % layer.film.frames.length
}
