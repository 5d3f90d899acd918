import { decoded, undecodable } from './decode-error.ts'
import type { Decoded } from './decode-error.ts'

const SIGNATURE = 'DKIF'
const FILE_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 12

/** A video file: frames as the encoder made them. */
export interface Ivf {
  /** Four characters, as `VP80`. */
  readonly codec: string
  readonly width: number
  readonly height: number
  readonly framesPerSecond: number
  /** Views into the file's bytes; at least one. */
  readonly frames: readonly Uint8Array[]
}

/** Parses an IVF file: a header of 32 bytes, then frames with 12 bytes (size, time) before each. */
export function parseIvf(bytes: Buffer): Decoded<Ivf> {
  if (bytes.length < FILE_HEADER_BYTES) return undecodable('truncated', bytes.length)
  if (bytes.toString('latin1', 0, 4) !== SIGNATURE) return undecodable('bad-value', 0)
  const headerBytes = bytes.readUInt16LE(6)
  if (headerBytes < FILE_HEADER_BYTES) return undecodable('bad-value', 6)
  const rate = bytes.readUInt32LE(16)
  const scale = bytes.readUInt32LE(20)
  if (rate === 0 || scale === 0) return undecodable('bad-value', 16)
  const frames: Uint8Array[] = []
  let at = headerBytes
  while (at < bytes.length) {
    if (bytes.length < at + FRAME_HEADER_BYTES) return undecodable('truncated', at)
    const size = bytes.readUInt32LE(at)
    const start = at + FRAME_HEADER_BYTES
    if (bytes.length < start + size) return undecodable('truncated', start)
    frames.push(bytes.subarray(start, start + size))
    at = start + size
  }
  if (frames.length === 0) return undecodable('truncated', at)
  return decoded({
    codec: bytes.toString('latin1', 8, 12),
    width: bytes.readUInt16LE(12),
    height: bytes.readUInt16LE(14),
    framesPerSecond: rate / scale,
    frames,
  })
}
