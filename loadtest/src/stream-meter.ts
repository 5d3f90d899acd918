import type { RtpPacket } from './rtp.ts'

/** Sequence numbers that are remembered to tell a late packet from a repeated one. */
const REMEMBERED = 1_024

/** What one received RTP stream looked like. */
export interface StreamFigures {
  readonly packets: number
  /** Payload without RTP headers. */
  readonly payloadBytes: number
  /** Never arrived, by gaps in the sequence numbers. */
  readonly lost: number
  /** Came after a later one. */
  readonly outOfOrder: number
  readonly duplicates: number
  /** Interarrival jitter (RFC 3550 §6.4.1) at the end. */
  readonly jitterMs: number
  /** Mean bitrate of the payload from the first packet to the last one. */
  readonly bitsPerSecond: number
  /** The longest time without a packet, up to the end of the measurement. */
  readonly longestGapMs: number
}

/** Counts one RTP stream, packet by packet. */
export class StreamMeter {
  readonly #clockRateHz: number
  readonly #seen = new Float64Array(REMEMBERED).fill(NaN)
  #packets = 0
  #unique = 0
  #payloadBytes = 0
  #outOfOrder = 0
  #first = 0
  #highest = 0
  #firstAtMs = 0
  #lastAtMs = 0
  #transitMs = 0
  #jitterMs = 0
  #lastTimestamp = 0
  #mediaMs = 0
  #longestGapMs = 0

  constructor(clockRateHz: number) {
    this.#clockRateHz = clockRateHz
  }

  /** Counts a packet. False when it is a repeated one. */
  add({ sequence, timestamp, payload }: RtpPacket, nowMs: number): boolean {
    this.#packets += 1
    const extended = this.#extend(sequence)
    const slot = ((extended % REMEMBERED) + REMEMBERED) % REMEMBERED
    if (this.#seen[slot] === extended) return false
    this.#seen[slot] = extended
    this.#unique += 1
    this.#payloadBytes += payload.length
    if (this.#unique === 1) {
      this.#begin(extended, timestamp, nowMs)
      return true
    }
    if (extended < this.#highest) this.#outOfOrder += 1
    this.#first = Math.min(this.#first, extended)
    this.#highest = Math.max(this.#highest, extended)
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastAtMs)
    this.#lastAtMs = nowMs
    this.#measureJitter(timestamp, nowMs)
    return true
  }

  /** The figures as of `nowMs`. */
  figures(nowMs: number): StreamFigures {
    const spanMs = this.#lastAtMs - this.#firstAtMs
    const expected = this.#unique === 0 ? 0 : this.#highest - this.#first + 1
    return {
      packets: this.#packets,
      payloadBytes: this.#payloadBytes,
      lost: Math.max(0, expected - this.#unique),
      outOfOrder: this.#outOfOrder,
      duplicates: this.#packets - this.#unique,
      jitterMs: this.#jitterMs,
      bitsPerSecond: spanMs > 0 ? (8_000 * this.#payloadBytes) / spanMs : 0,
      longestGapMs: this.#unique === 0 ? 0 : Math.max(this.#longestGapMs, nowMs - this.#lastAtMs),
    }
  }

  #begin(extended: number, timestamp: number, nowMs: number): void {
    this.#first = extended
    this.#highest = extended
    this.#firstAtMs = nowMs
    this.#lastAtMs = nowMs
    this.#lastTimestamp = timestamp
    this.#transitMs = nowMs
  }

  /** The sequence number without wrapping: the one nearest to the highest so far. */
  #extend(sequence: number): number {
    if (this.#unique === 0) return sequence
    const ahead = ((sequence - this.#highest) << 16) >> 16
    return this.#highest + ahead
  }

  #measureJitter(timestamp: number, nowMs: number): void {
    const ticks = (timestamp - this.#lastTimestamp) | 0
    this.#lastTimestamp = timestamp
    this.#mediaMs += (1_000 * ticks) / this.#clockRateHz
    const transitMs = nowMs - this.#mediaMs
    this.#jitterMs += (Math.abs(transitMs - this.#transitMs) - this.#jitterMs) / 16
    this.#transitMs = transitMs
  }
}
