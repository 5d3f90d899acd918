import { MAX_CLEAR_BYTES } from './frame-layout.ts'
import { readH264 } from './h264.ts'

/** Codecs whose frames can be sealed. AV1 is none: its packetizer rewrites what it reads. */
export type FrameCodec = 'opus' | 'vp8' | 'vp9' | 'h264'

/** A frame in two: what the network must be able to read, and what it must not. */
export interface FrameParts {
  readonly clear: Uint8Array
  readonly secret: Uint8Array
  /** The sealed part may hold no start code. */
  readonly escaped: boolean
}

const codecs: Readonly<Record<string, FrameCodec>> = {
  'audio/opus': 'opus',
  'video/vp8': 'vp8',
  'video/vp9': 'vp9',
  'video/h264': 'h264',
}

/** The header of a VP8 key frame, which holds its size; of others only the byte with the P bit. */
const VP8_KEY_FRAME_CLEAR = 10
const VP8_DELTA_FRAME_CLEAR = 1

/** Undefined for what is not to be sent. */
export function frameCodecOf(mimeType: string): FrameCodec | undefined {
  return codecs[mimeType.toLowerCase()]
}

/** Cuts a frame in two; undefined where it is not one of that codec. */
export function partsOf(codec: FrameCodec, frame: Uint8Array): FrameParts | undefined {
  switch (codec) {
    case 'opus':
    case 'vp9':
      return cut(frame, 0, false)
    case 'vp8': {
      const isKeyFrame = ((frame[0] ?? 0) & 1) === 0
      return cut(frame, isKeyFrame ? VP8_KEY_FRAME_CLEAR : VP8_DELTA_FRAME_CLEAR, false)
    }
    case 'h264': {
      const read = readH264(frame)
      return read && cut(read.bytes, read.clear, true)
    }
  }
}

function cut(frame: Uint8Array, clear: number, escaped: boolean): FrameParts | undefined {
  if (frame.length === 0 || frame.length < clear || clear > MAX_CLEAR_BYTES) return undefined
  return { clear: frame.subarray(0, clear), secret: frame.subarray(clear), escaped }
}
