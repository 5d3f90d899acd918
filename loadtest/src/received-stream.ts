import type { Ear } from './ear.ts'
import type { Films } from './films.ts'
import { OPUS_CLOCK_HZ, VP8_CLOCK_HZ } from './ortc.ts'
import { LISTEN_FRAMES } from './plan.ts'
import type { Seat } from './plan.ts'
import type { RtpPacket } from './rtp.ts'
import type { StreamSample } from './samples.ts'
import { StreamMeter } from './stream-meter.ts'
import { readVp8FrameInfo, Vp8Assembler } from './vp8-assembler.ts'

/** What a received stream is measured with. */
export interface Instruments {
  readonly ear: Ear
  readonly films: Films
  readonly listenEveryMs: number
}

/** Who sends to whom, and when the receiver learned of it. */
export interface StreamEnds {
  readonly from: Seat
  readonly to: Seat
  readonly learnedAtMs: number
}

/** One stream at its receiver. Times are of one monotonic clock, in ms. */
export interface ReceivedStream {
  take(packet: RtpPacket, nowMs: number): void
  sample(nowMs: number): StreamSample
}

/** Counts an audio stream, and now and then judges a stretch of it. */
export class ReceivedAudio implements ReceivedStream {
  readonly #ends: StreamEnds
  readonly #instruments: Instruments
  readonly #meter = new StreamMeter(OPUS_CLOCK_HZ)
  readonly #heard = { right: 0, silent: 0, wrong: 0, wrongHz: undefined as number | undefined }
  #stretch: Uint8Array[] = []
  #nextSequence = 0
  #listenAtMs = 0
  #firstMs: number | undefined

  constructor(ends: StreamEnds, instruments: Instruments) {
    this.#ends = ends
    this.#instruments = instruments
  }

  take(packet: RtpPacket, nowMs: number): void {
    if (!this.#meter.add(packet, nowMs)) return
    this.#firstMs ??= nowMs - this.#ends.learnedAtMs
    if (nowMs >= this.#listenAtMs) this.#collect(packet, nowMs)
  }

  sample(nowMs: number): StreamSample {
    const { from, to } = this.#ends
    const figures = this.#meter.figures(nowMs)
    return { kind: 'audio', from, to, firstMs: this.#firstMs, figures, heard: { ...this.#heard } }
  }

  /** A gap starts the stretch again: what a decoder makes up for it says nothing of the sender. */
  #collect({ sequence, payload }: RtpPacket, nowMs: number): void {
    if (sequence !== this.#nextSequence) this.#stretch = []
    this.#nextSequence = (sequence + 1) & 0xffff
    this.#stretch.push(payload)
    if (this.#stretch.length < LISTEN_FRAMES) return
    const verdict = this.#instruments.ear.judge(this.#stretch, this.#ends.from.toneHz)
    this.#heard[verdict.type] += 1
    if (verdict.type === 'wrong') this.#heard.wrongHz = verdict.heardHz
    this.#stretch = []
    this.#listenAtMs = nowMs + this.#instruments.listenEveryMs
  }
}

/** Counts a video stream and puts its frames together. */
export class ReceivedVideo implements ReceivedStream {
  readonly #ends: StreamEnds
  readonly #instruments: Instruments
  readonly #meter = new StreamMeter(VP8_CLOCK_HZ)
  readonly #assembler = new Vp8Assembler()
  readonly #seen = { frames: 0, keyFrames: 0, broken: 0, altered: 0, width: 0, height: 0 }
  #firstMs: number | undefined

  constructor(ends: StreamEnds, instruments: Instruments) {
    this.#ends = ends
    this.#instruments = instruments
  }

  take(packet: RtpPacket, nowMs: number): void {
    // Padding of the SFU carries no picture.
    if (!this.#meter.add(packet, nowMs) || packet.payload.length === 0) return
    const assembled = this.#assembler.add(packet)
    if (assembled.type === 'broken') this.#seen.broken += 1
    if (assembled.type !== 'frame') return
    this.#firstMs ??= nowMs - this.#ends.learnedAtMs
    this.#see(assembled.frame)
  }

  sample(nowMs: number): StreamSample {
    const { from, to } = this.#ends
    const figures = this.#meter.figures(nowMs)
    return { kind: 'video', from, to, firstMs: this.#firstMs, figures, seen: { ...this.#seen } }
  }

  #see(frame: Uint8Array): void {
    const info = readVp8FrameInfo(frame)
    this.#seen.frames += 1
    if (!this.#instruments.films.has(frame)) this.#seen.altered += 1
    if (info?.size === undefined) return
    this.#seen.keyFrames += 1
    this.#seen.width = info.size.width
    this.#seen.height = info.size.height
  }
}
