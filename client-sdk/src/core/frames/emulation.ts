/** Inserted after two zeros, so that no start code arises; H.264 §7.4.1. */
const GUARD = 3

/**
 * Escapes what follows `before` in an H.264 stream, so that no packetizer sees a start code in it:
 * neither inside nor across the seam. Undone by {@link unescape}.
 */
export function escapeStartCodes(before: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length + Math.ceil((bytes.length + 2) / 2))
  let zeros = trailingZeros(before)
  let length = 0
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= GUARD) {
      out[length++] = GUARD
      zeros = 0
    }
    out[length++] = byte
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return out.slice(0, length)
}

/** Undoes {@link escapeStartCodes}; `before` must be the same. */
export function unescapeStartCodes(before: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length)
  let zeros = trailingZeros(before)
  let length = 0
  for (const byte of bytes) {
    if (zeros >= 2 && byte === GUARD) {
      zeros = 0
      continue
    }
    out[length++] = byte
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return out.slice(0, length)
}

function trailingZeros(bytes: Uint8Array): number {
  let zeros = 0
  while (zeros < 2 && bytes[bytes.length - 1 - zeros] === 0) zeros++
  return zeros
}
