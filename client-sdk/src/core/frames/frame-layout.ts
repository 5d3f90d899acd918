import type { TrackSource } from '@parley/protocol'
import { escapeStartCodes, unescapeStartCodes } from './emulation.ts'
import { sourceNumber } from './key-id.ts'

/** The part of a frame that the network reads. */
export interface ClearPart {
  readonly clear: Uint8Array
  /** What follows holds no start code. */
  readonly escaped: boolean
}

/** A sealed frame taken apart. */
export interface SealedFrame extends ClearPart {
  /** SFrame header, ciphertext and tag. */
  readonly sframe: Uint8Array
}

/** Ends every frame: tells at a glance what was never sealed, and is no zero, as H.264 wants. */
const MARK = 0xe1
const TRAILER_BYTES = 3
const ESCAPED = 0x8000

/** What the length field can hold. */
export const MAX_CLEAR_BYTES = 0x7fff

const VERSION = new TextEncoder().encode('EF1')

/** What is authenticated besides the SFrame header: format, source, and the clear part with its field. */
export function metadataOf(source: TrackSource, part: ClearPart): Uint8Array<ArrayBuffer> {
  const { clear } = part
  const metadata = new Uint8Array(VERSION.length + 3 + clear.length)
  metadata.set(VERSION)
  metadata[VERSION.length] = sourceNumber(source)
  new DataView(metadata.buffer).setUint16(VERSION.length + 1, fieldOf(part))
  metadata.set(clear, VERSION.length + 3)
  return metadata
}

/** Puts a frame together: clear bytes, SFrame, field, mark. */
export function joinFrame({ sframe, ...part }: SealedFrame): Uint8Array<ArrayBuffer> {
  const { clear, escaped } = part
  const sealed = escaped ? escapeStartCodes(clear, sframe) : sframe
  const frame = new Uint8Array(clear.length + sealed.length + TRAILER_BYTES)
  frame.set(clear)
  frame.set(sealed, clear.length)
  const trailer = clear.length + sealed.length
  // With the flag its first byte is no zero, so the trailer holds no start code either.
  new DataView(frame.buffer).setUint16(trailer, fieldOf(part))
  frame[trailer + 2] = MARK
  return frame
}

/** Takes a frame apart without knowing its codec; undefined where it cannot be a sealed one. */
export function splitFrame(frame: Uint8Array): SealedFrame | undefined {
  const end = frame.length - TRAILER_BYTES
  if (end < 0 || frame[end + 2] !== MARK) return undefined
  const field = ((frame[end] ?? 0) << 8) | (frame[end + 1] ?? 0)
  const clearBytes = field & MAX_CLEAR_BYTES
  if (clearBytes > end) return undefined
  const clear = frame.subarray(0, clearBytes)
  const sealed = frame.subarray(clearBytes, end)
  const escaped = field >= ESCAPED
  return { clear, escaped, sframe: escaped ? unescapeStartCodes(clear, sealed) : sealed }
}

/** 15 bits of length, and the flag. */
function fieldOf({ clear, escaped }: ClearPart): number {
  return clear.length | (escaped ? ESCAPED : 0)
}
