import { OpusDecoder } from 'opus-decoder'
import { LISTEN_FRAMES } from './plan.ts'
import { judgeTone } from './tone.ts'
import type { ToneVerdict } from './tone.ts'

/**
 * Frames at the start of a stretch that are decoded and not judged: they still carry what the decoder
 * remembers of the stream before.
 */
const SETTLE_FRAMES = 4

/** Decodes stretches of Opus and judges their tone; one decoder serves all streams in turn. */
export class Ear {
  readonly #decoder = new OpusDecoder({ channels: 1 })

  /** Loads the decoder. */
  async open(): Promise<void> {
    await this.#decoder.ready
  }

  /** Judges {@link LISTEN_FRAMES} consecutive frames. */
  judge(frames: readonly Uint8Array[], toneHz: number): ToneVerdict {
    const { channelData } = this.#decoder.decodeFrames([...frames])
    const samples = channelData[0] ?? new Float32Array()
    const settled = Math.floor((samples.length * SETTLE_FRAMES) / LISTEN_FRAMES)
    return judgeTone(samples.subarray(settled), toneHz)
  }

  close(): void {
    this.#decoder.free()
  }
}
