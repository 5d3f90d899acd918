/** Opus runs at this rate, whatever it was given. */
export const SAMPLE_RATE_HZ = 48_000

/** Every tone is a multiple of this, so that each 20 ms frame holds whole periods. */
const TONE_STEP_HZ = 50
const LOWEST_TONE_HZ = 300
const SEAT_STEP_HZ = 100

/** Quieter than this is silence: −40 dB below full scale. */
const SILENCE_RMS = 0.01

/** Share of the energy that must lie at the tone. Opus leaves 0.99 of a sine there. */
const TONE_SHARE = 0.8

/** Highest frequency that is looked for when a wrong tone is named. */
const HIGHEST_TONE_HZ = 6_000

/** What a stretch of sound turned out to be. */
export type ToneVerdict =
  | { readonly type: 'right' }
  | { readonly type: 'silent' }
  /** `heardHz`: the strongest of the tones that a sender could have sent. */
  | { readonly type: 'wrong'; readonly heardHz: number }

/** The tone of a seat: 100 Hz from its neighbours, and 50 Hz from the same seat next door. */
export function toneOfSeat(room: number, seat: number): number {
  return LOWEST_TONE_HZ + seat * SEAT_STEP_HZ + (room % 2) * TONE_STEP_HZ
}

/** A sine as 16-bit samples, little-endian, `count` of them from number `from`. */
export function sinePcm(
  toneHz: number,
  { from, count, amplitude }: { from: number; count: number; amplitude: number },
): Buffer {
  const pcm = Buffer.alloc(2 * count)
  for (let index = 0; index < count; index++) {
    const angle = (2 * Math.PI * toneHz * (from + index)) / SAMPLE_RATE_HZ
    pcm.writeInt16LE(Math.round(32_767 * amplitude * Math.sin(angle)), 2 * index)
  }
  return pcm
}

/** Judges samples (−1 to 1) of at least 40 ms against the tone that should be in them. */
export function judgeTone(samples: Float32Array, toneHz: number): ToneVerdict {
  if (rms(samples) < SILENCE_RMS) return { type: 'silent' }
  if (shareAt(samples, toneHz) >= TONE_SHARE) return { type: 'right' }
  return { type: 'wrong', heardHz: strongestTone(samples) }
}

/** Share of the samples' energy that lies at `toneHz`, 0 to 1 (Goertzel). */
export function shareAt(samples: Float32Array, toneHz: number): number {
  const factor = 2 * Math.cos((2 * Math.PI * toneHz) / SAMPLE_RATE_HZ)
  let before = 0
  let last = 0
  let energy = 0
  for (const sample of samples) {
    energy += sample * sample
    const next = sample + factor * last - before
    before = last
    last = next
  }
  const power = last * last + before * before - factor * last * before
  return energy === 0 ? 0 : (2 * power) / (samples.length * energy)
}

function rms(samples: Float32Array): number {
  let energy = 0
  for (const sample of samples) energy += sample * sample
  return samples.length === 0 ? 0 : Math.sqrt(energy / samples.length)
}

function strongestTone(samples: Float32Array): number {
  let strongest = { toneHz: LOWEST_TONE_HZ, share: -1 }
  for (let toneHz = TONE_STEP_HZ; toneHz <= HIGHEST_TONE_HZ; toneHz += TONE_STEP_HZ) {
    const share = shareAt(samples, toneHz)
    if (share > strongest.share) strongest = { toneHz, share }
  }
  return strongest.toneHz
}
