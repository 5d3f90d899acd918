import type { RtpPacket } from './rtp.ts'
import { decodeVp8Descriptor } from './vp8-packetizer.ts'

/** Pieces that one frame may have; a stream without markers must not grow without end. */
const MOST_PIECES = 1_024

/** What a packet did. */
export type Assembled =
  | { readonly type: 'nothing' }
  /** The frame before can never be whole. */
  | { readonly type: 'broken' }
  | { readonly type: 'frame'; readonly frame: Uint8Array }

/** A VP8 frame's own header (RFC 6386 §9.1). */
export interface Vp8FrameInfo {
  readonly keyFrame: boolean
  /** Key frames only. */
  readonly size: { readonly width: number; readonly height: number } | undefined
}

/**
 * Puts VP8 frames together again from packets in order of arrival. A frame is whole when its packets
 * came without a gap from the one that starts it to the one with the marker.
 */
export class Vp8Assembler {
  #pieces: Uint8Array[] = []
  #timestamp = 0
  #next: number | undefined

  add(packet: RtpPacket): Assembled {
    const descriptor = decodeVp8Descriptor(packet.payload)
    if (!descriptor.ok) return { type: 'nothing' }
    const { startsFrame, bytes } = descriptor.value
    const follows = this.#next === packet.sequence && this.#timestamp === packet.timestamp
    const hadPieces = this.#pieces.length > 0
    if (startsFrame) this.#pieces = []
    else if (!follows || this.#pieces.length >= MOST_PIECES) {
      this.#reset()
      return { type: hadPieces ? 'broken' : 'nothing' }
    }
    this.#pieces.push(packet.payload.subarray(bytes))
    this.#timestamp = packet.timestamp
    this.#next = (packet.sequence + 1) & 0xffff
    if (packet.marker) {
      const frame = Buffer.concat(this.#pieces)
      this.#reset()
      return { type: 'frame', frame }
    }
    return { type: startsFrame && hadPieces ? 'broken' : 'nothing' }
  }

  #reset(): void {
    this.#pieces = []
    this.#next = undefined
  }
}

/** Reads what a frame says of itself; `undefined` when it is too short to be one. */
export function readVp8FrameInfo(frame: Uint8Array): Vp8FrameInfo | undefined {
  if (frame.length < 3) return undefined
  const keyFrame = ((frame[0] ?? 0) & 0x01) === 0
  if (!keyFrame) return { keyFrame, size: undefined }
  if (frame.length < 10) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const width = view.getUint16(6, true) & 0x3fff
  const height = view.getUint16(8, true) & 0x3fff
  return { keyFrame, size: { width, height } }
}
