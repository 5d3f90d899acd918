import { CHANNEL_HEADER_BYTES } from './channel-data.ts'
import { paddedLength, readUint16, readUint32 } from './bytes.ts'
import { HEADER_BYTES, MAGIC_COOKIE } from './message.ts'

/** The largest frame there is: a STUN header and 65,535 bytes. */
export const MAX_FRAME_BYTES = HEADER_BYTES + 0xffff

/** Bytes that show the kind and size of any frame, and the cookie of a STUN message. */
const PREFIX_BYTES = 8

/** Why a stream cannot be read any further. */
export type FramingError = 'notTurn' | 'frameTooLarge'

/**
 * Cuts a byte stream into STUN messages and ChannelData, which streams pad to four bytes. RFC 8656
 * §3.1, §12.5. Push a chunk, then take frames with {@link next} until it gives `undefined`.
 *
 * Frames are views: of the chunk where they lie within it, otherwise of the framer's own buffer;
 * either way valid until the next `push`. No more than one frame is ever buffered.
 */
export class StreamFramer {
  /** Frames above this many bytes fail the stream. Raise it once the client has a name. */
  maxFrameBytes: number
  /** Set once the stream cannot be read any further. */
  error: FramingError | undefined
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #owned = false

  constructor(maxFrameBytes: number = MAX_FRAME_BYTES) {
    this.maxFrameBytes = maxFrameBytes
  }

  /** Whether a frame has begun that is not complete. */
  get isInsideFrame(): boolean {
    return this.#end > this.#start
  }

  /** Adds bytes. The framer reads `chunk` until the next `push` and copies what is left then. */
  push(chunk: Uint8Array): void {
    const left = this.#end - this.#start
    if (left === 0) {
      this.#bytes = chunk
      this.#start = 0
      this.#end = chunk.length
      this.#owned = false
      return
    }
    const needed = left + chunk.length
    const grows = !this.#owned || this.#start + needed > this.#bytes.length
    if (grows) {
      // Doubling keeps a stream that drips byte by byte at linear cost.
      const grown = new Uint8Array(Math.max(needed, this.#owned ? 2 * this.#bytes.length : 64))
      grown.set(this.#bytes.subarray(this.#start, this.#end))
      this.#bytes = grown
      this.#start = 0
      this.#end = left
      this.#owned = true
    }
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** The next complete frame, ChannelData without its padding; `undefined` until more bytes come. */
  next(): Uint8Array | undefined {
    if (this.error !== undefined || this.#end === this.#start) return undefined
    const isChannelData = ((this.#bytes[this.#start] ?? 0) & 0xf0) === 0x40
    const frameBytes = isChannelData ? this.#channelFrameBytes() : this.#stunFrameBytes()
    if (frameBytes === undefined) return undefined
    if (frameBytes > this.maxFrameBytes) {
      this.error = 'frameTooLarge'
      return undefined
    }
    const size = paddedLength(frameBytes)
    if (this.#end - this.#start < size) return undefined
    const frame = this.#bytes.subarray(this.#start, this.#start + frameBytes)
    this.#start += size
    return frame
  }

  #channelFrameBytes(): number | undefined {
    if (this.#end - this.#start < CHANNEL_HEADER_BYTES) return undefined
    return CHANNEL_HEADER_BYTES + readUint16(this.#bytes, this.#start + 2)
  }

  #stunFrameBytes(): number | undefined {
    // RFC 7983 §7: only 0–3 begin a STUN message; anything else is another protocol.
    if ((this.#bytes[this.#start] ?? 0) > 3) {
      this.error = 'notTurn'
      return undefined
    }
    if (this.#end - this.#start < PREFIX_BYTES) return undefined
    const length = readUint16(this.#bytes, this.#start + 2)
    if (length % 4 !== 0 || readUint32(this.#bytes, this.#start + 4) !== MAGIC_COOKIE) {
      this.error = 'notTurn'
      return undefined
    }
    return HEADER_BYTES + length
  }
}
