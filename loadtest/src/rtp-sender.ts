import { randomInt } from 'node:crypto'
import { encodeSenderReport } from './rtcp.ts'
import { encodeRtp } from './rtp.ts'
import type { ByteExtension } from './rtp.ts'

/** Packets that can be sent again, about two seconds of video. */
const KEPT_PACKETS = 256

/**
 * One outgoing RTP stream: numbers its packets and keeps the last ones for repeats. Numbers and
 * timestamps begin at random (RFC 3550 §5.1) and never at zero: measured with mediasoup 3.27, streams
 * that begin at zero get their first picture through a second late.
 */
export class RtpSender {
  readonly ssrc: number
  readonly #payloadType: number
  readonly #send: (bytes: Buffer) => void
  readonly #kept: Buffer[] = []
  readonly #firstTimestamp = randomInt(1, 2 ** 31)
  #sequence = randomInt(1, 2 ** 15)
  #packets = 0
  #payloadBytes = 0

  constructor(options: {
    readonly ssrc: number
    readonly payloadType: number
    readonly send: (bytes: Buffer) => void
  }) {
    this.ssrc = options.ssrc
    this.#payloadType = options.payloadType
    this.#send = options.send
  }

  /**
   * Sends the payloads of one frame; the last one carries the marker where `marked`. `timestamp`
   * counts from the stream's start.
   */
  sendFrame(
    payloads: readonly Uint8Array[],
    frame: {
      readonly timestamp: number
      readonly marked: boolean
      readonly extension?: ByteExtension | undefined
    },
  ): void {
    for (const [index, payload] of payloads.entries()) {
      const bytes = encodeRtp(
        {
          payloadType: this.#payloadType,
          marker: frame.marked && index === payloads.length - 1,
          sequence: this.#sequence,
          timestamp: this.#firstTimestamp + frame.timestamp,
          ssrc: this.ssrc,
          payload,
        },
        frame.extension,
      )
      this.#kept[this.#sequence % KEPT_PACKETS] = bytes
      this.#sequence = (this.#sequence + 1) & 0xffff
      this.#packets += 1
      this.#payloadBytes += payload.length
      this.#send(bytes)
    }
  }

  /** Sends lost packets again, as far as they are still kept. */
  repeat(sequences: readonly number[]): void {
    for (const sequence of sequences) {
      const bytes = this.#kept[sequence % KEPT_PACKETS]
      if (bytes?.readUInt16BE(2) === sequence) this.#send(bytes)
    }
  }

  /** Tells receivers which wall clock time `timestamp` stands for. */
  report(timestamp: number, wallMs: number): void {
    const report = {
      ssrc: this.ssrc,
      timestamp: this.#firstTimestamp + timestamp,
      wallMs,
      packets: this.#packets,
      payloadBytes: this.#payloadBytes,
    }
    this.#send(encodeSenderReport(report))
  }
}
