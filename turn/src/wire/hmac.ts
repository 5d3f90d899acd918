import { hash as hashOf } from 'node:crypto'

/** Bytes in which SHA-1 and SHA-256 work. */
const BLOCK_BYTES = 64
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c
/** Most messages are far smaller; larger ones get memory of their own. */
const USUAL_BYTES = 2_048

export type HmacHash = 'sha1' | 'sha256'

const usual = Buffer.alloc(BLOCK_BYTES + USUAL_BYTES)
const outerKey = Buffer.alloc(BLOCK_BYTES)

/**
 * HMAC (RFC 2104) of a message in parts. Node's `createHmac` makes objects for each message that cost
 * four times as much as the two hashes, mostly to collect them; nine of these go into one allocation.
 */
export function hmac(hash: HmacHash, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const size = parts.reduce((sum, { length }) => sum + length, BLOCK_BYTES)
  const inner = size <= usual.length ? usual : Buffer.alloc(size)
  const blockKey = key.length > BLOCK_BYTES ? digest(hash, key) : key
  writePadded(inner, blockKey, INNER_PAD)
  let end = BLOCK_BYTES
  for (const part of parts) {
    inner.set(part, end)
    end += part.length
  }
  writePadded(outerKey, blockKey, OUTER_PAD)
  const outer = Buffer.concat([outerKey, digest(hash, inner.subarray(0, end))])
  return digest(hash, outer)
}

/** A hash in one go. As text in between, since Node makes a string faster than a buffer. */
export function digest(hash: HmacHash | 'md5', message: Uint8Array | string): Buffer {
  return Buffer.from(hashOf(hash, message, 'binary'), 'binary')
}

function writePadded(block: Buffer, key: Uint8Array, pad: number): void {
  block.fill(pad, 0, BLOCK_BYTES)
  for (let index = 0; index < key.length; index++) block[index] = (key[index] ?? 0) ^ pad
}
