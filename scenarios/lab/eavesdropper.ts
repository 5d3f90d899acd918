import { OpusDecoder } from 'opus-decoder'
import type { Caller, Picture } from './caller.ts'
import { framesOf } from './depacketize.ts'
import type { TappedPacket } from './sfu-tap.ts'

/** What somebody who runs the node gets out of one stream. */
export interface Overheard {
  readonly mimeType: string
  readonly frames: readonly Uint8Array[]
}

const SAMPLE_RATE_HZ = 48_000

/** A tenth of a second: short against hiccups of the sender, long against the tone. */
const WINDOW_SAMPLES = SAMPLE_RATE_HZ / 10

/** Frames that are tried: seconds of either kind, and the first key frame among them. */
const MOST_FRAMES = 400

/** Sorts what a tap has heard by streams. */
export function overhear(tapped: readonly TappedPacket[]): Overheard[] {
  // Each simulcast layer has an SSRC of its own.
  const streams = Map.groupBy(tapped, ({ producer, packet }) =>
    [producer, ...packet.subarray(8, 12)].join(),
  )
  return [...streams.values()].map((packets) => {
    const { mimeType = '' } = packets[0] ?? {}
    const frames = framesOf(
      mimeType,
      packets.map(({ packet }) => packet),
    )
    return { mimeType, frames: frames.slice(-MOST_FRAMES) }
  })
}

/** The SFrame header of a sealed frame that is not escaped, in hex: its key id and counter. */
export function headerOf(frame: Uint8Array): string | undefined {
  const bytes = Buffer.from(frame)
  if (bytes.length < 4 || bytes.at(-1) !== 0xe1) return undefined
  const start = bytes.readUInt16BE(bytes.length - 3)
  const config = bytes[start] ?? 0
  const extension = (nibble: number) => (nibble & 8 ? (nibble & 7) + 1 : 0)
  const length = 1 + extension(config >> 4) + extension(config & 15)
  return bytes.subarray(start, start + length).toString('hex')
}

/** How far a tone stands out of all else that is heard in Opus frames most of the time, in dB. */
export async function toneLevel(frames: readonly Uint8Array[], hertz: number): Promise<number> {
  const decoder = new OpusDecoder({ channels: 1 })
  await decoder.ready
  const { channelData } = decoder.decodeFrames([...frames])
  decoder.free()
  const samples = channelData[0] ?? new Float32Array()
  const shares: number[] = []
  for (let at = 0; at + WINDOW_SAMPLES <= samples.length; at += WINDOW_SAMPLES) {
    shares.push(shareAt(hertz, samples.subarray(at, at + WINDOW_SAMPLES)))
  }
  const middle = shares.sort((a, b) => a - b)[shares.length >> 1] ?? 0
  return 10 * Math.log10(middle + 1e-9)
}

/**
 * What a decoder shows of video frames, beginning at each that may be a key frame; undefined where
 * it shows nothing.
 */
export async function pictureOf(
  viewer: Caller,
  { mimeType, frames }: Overheard,
): Promise<Picture | undefined> {
  const start = Math.max(0, frames.findLastIndex(isKeyFrame[mimeType.toLowerCase()] ?? never))
  return viewer.decode(
    mimeType,
    frames.slice(start).map((frame) => Buffer.from(frame).toString('base64')),
  )
}

/**
 * How like a picture is to the nearest of `pictures`, -1 to 1; 0 for none. Correlation, since
 * decoders that are told no colour space shift all colours alike.
 */
export function likeness(pictures: readonly Picture[], seen: Picture | undefined): number {
  return seen ? Math.max(...pictures.map((picture) => correlation(picture, seen))) : 0
}

/** χ² of the bytes' values over 256 bins: about 255 for noise, thousands for anything else. */
export function chiSquare(bytes: Uint8Array): number {
  const bins = new Uint32Array(256)
  for (const byte of bytes) bins[byte] = (bins[byte] ?? 0) + 1
  const expected = bytes.length / 256
  return bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

function correlation(a: Picture, b: Picture): number {
  const [x, y] = [centred(a), centred(b)]
  const product = (one: Picture, other: Picture) =>
    one.reduce((sum, value, i) => sum + value * (other[i] ?? 0), 0)
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y) + 1e-9)
}

/** Each colour without its mean: a picture of one colour, as broken decoders show, is like none. */
function centred(picture: Picture): Picture {
  const means = [0, 1, 2].map((colour) => {
    const values = picture.filter((_value, i) => i % 3 === colour)
    return values.reduce((sum, value) => sum + value, 0) / values.length
  })
  return picture.map((value, i) => value - (means[i % 3] ?? 0))
}

/** Share of the samples' energy that lies at a frequency, 0 to 1 (Goertzel). */
function shareAt(hertz: number, samples: Float32Array): number {
  const factor = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE_HZ)
  let [before, last, energy] = [0, 0, 0]
  for (const sample of samples) {
    energy += sample * sample
    ;[before, last] = [last, sample + factor * last - before]
  }
  const power = last * last + before * before - factor * last * before
  return energy === 0 ? 0 : (2 * power) / (samples.length * energy)
}

/** What can be told of a frame by whoever sees it, sealed or not; VP9 tells nothing once sealed. */
const isKeyFrame: Readonly<Record<string, (frame: Uint8Array) => boolean>> = {
  'video/vp8': (frame) => ((frame[0] ?? 1) & 1) === 0,
  'video/vp9': (frame) => ((frame[0] ?? 0) & 0xcc) === 0x80,
  'video/h264': (frame) => ((frame[4] ?? 0) & 0x1f) === 7,
}

function never(): boolean {
  return false
}
