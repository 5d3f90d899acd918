import OpusScript from 'opusscript'
import { FrameClock } from './frame-clock.ts'
import { OPUS_PAYLOAD_TYPE } from './ortc.ts'
import { RtpSender } from './rtp-sender.ts'
import { SAMPLE_RATE_HZ, sinePcm } from './tone.ts'

export const OPUS_FRAME_MS = 20
const FRAME_SAMPLES = (SAMPLE_RATE_HZ * OPUS_FRAME_MS) / 1_000
const BITS_PER_SECOND = 32_000
const AMPLITUDE = 0.4

/** The loop that is sent. The encoder first runs this many frames to settle. */
const LOOP_FRAMES = 50

const FRAMES_BETWEEN_REPORTS = 100

/** Voice, and how loud, in −dBov (RFC 6464). */
const LOUD = 0x80 | 10
const QUIET = 127

/** One second of a tone as Opus frames of 20 ms; of encoded silence where `silent`. */
export function encodeTone(toneHz: number, { silent }: { silent: boolean }): readonly Buffer[] {
  const encoder = new OpusScript(SAMPLE_RATE_HZ, 1, OpusScript.Application.AUDIO)
  encoder.setBitrate(BITS_PER_SECOND)
  const amplitude = silent ? 0 : AMPLITUDE
  const frames = Array.from({ length: 2 * LOOP_FRAMES }, (_, frame) => {
    const pcm = sinePcm(toneHz, { from: frame * FRAME_SAMPLES, count: FRAME_SAMPLES, amplitude })
    // A copy: the encoder's output may be overwritten by its next frame.
    return Buffer.from(encoder.encode(pcm, FRAME_SAMPLES))
  })
  encoder.delete()
  return frames.slice(LOOP_FRAMES)
}

/** Sends a loop of Opus frames in real time. */
export class Microphone {
  readonly #clock: FrameClock

  constructor(options: {
    readonly ssrc: number
    readonly frames: readonly Buffer[]
    readonly silent: boolean
    /** Header extension id of the audio level. */
    readonly levelId: number | undefined
    readonly send: (bytes: Buffer) => void
  }) {
    const { ssrc, frames, silent, levelId, send } = options
    const rtp = new RtpSender({ ssrc, payloadType: OPUS_PAYLOAD_TYPE, send })
    const value = silent ? QUIET : LOUD
    const extension = levelId === undefined ? undefined : { id: levelId, value }
    this.#clock = new FrameClock(OPUS_FRAME_MS, (frame) => {
      const payload = frames[frame % frames.length]
      if (payload === undefined) return
      const timestamp = frame * FRAME_SAMPLES
      rtp.sendFrame([payload], { timestamp, marked: false, extension })
      if (frame % FRAMES_BETWEEN_REPORTS === 0) rtp.report(timestamp, Date.now())
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
}
