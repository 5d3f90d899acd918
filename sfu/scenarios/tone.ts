import OpusScript from 'opusscript'
import { OpusDecoder } from 'opus-decoder'

export const SAMPLE_RATE = 48_000
export const FRAME_SAMPLES = 960
const CHANNELS = 1

/** Opus frames of 20 ms of a sine. */
export function toneFrames(frequency: number, count: number): readonly Buffer[] {
  const encoder = new OpusScript(SAMPLE_RATE, CHANNELS, OpusScript.Application.AUDIO)
  const frames = Array.from({ length: count }, (_, frame) => {
    const pcm = Buffer.alloc(2 * FRAME_SAMPLES)
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const t = (frame * FRAME_SAMPLES + i) / SAMPLE_RATE
      pcm.writeInt16LE(Math.round(12_000 * Math.sin(2 * Math.PI * frequency * t)), 2 * i)
    }
    return Buffer.from(encoder.encode(pcm, FRAME_SAMPLES))
  })
  encoder.delete()
  return frames
}

/** Decodes Opus frames to samples of one channel. */
export async function decodeFrames(frames: readonly Uint8Array[]): Promise<Float32Array> {
  const decoder = new OpusDecoder({ channels: CHANNELS })
  await decoder.ready
  const { channelData } = decoder.decodeFrames([...frames])
  decoder.free()
  return channelData[0] ?? new Float32Array()
}

/** Share of the samples' energy that lies at `frequency`, 0 to 1 (Goertzel). */
function shareAt(frequency: number, samples: Float32Array): number {
  const factor = 2 * Math.cos((2 * Math.PI * frequency) / SAMPLE_RATE)
  let [before, last, energy] = [0, 0, 0]
  for (const sample of samples) {
    energy += sample * sample
    ;[before, last] = [last, sample + factor * last - before]
  }
  const power = last * last + before * before - factor * last * before
  return energy === 0 ? 0 : (2 * power) / (samples.length * energy)
}

/** Whether a tone is what is heard. The rest of the energy is the codec's start and joins of frames. */
export function hearsTone(frequency: number, samples: Float32Array): boolean {
  return shareAt(frequency, samples) > 0.5
}
