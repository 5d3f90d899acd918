/** Inserted after two zeros, so that no start code arises; H.264 §7.4.1. */
const GUARD = 3

/**
 * Escapes what follows `before` in an H.264 stream, so that no packetizer sees a start code in it:
 * neither inside nor across the seam. Undone by {@link unescapeStartCodes}.
 */
export function escapeStartCodes(before: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length + Math.ceil((bytes.length + 2) / 2))
  let length = 0
  let copied = 0
  for (const at of afterZeroPairs(before, bytes)) {
    if ((bytes[at] ?? 0) > GUARD) continue
    out.set(bytes.subarray(copied, at), length)
    length += at - copied
    out[length++] = GUARD
    copied = at
  }
  out.set(bytes.subarray(copied), length)
  return out.slice(0, length + bytes.length - copied)
}

/** Undoes {@link escapeStartCodes}; `before` must be the same. */
export function unescapeStartCodes(before: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length)
  let length = 0
  let copied = 0
  for (const at of afterZeroPairs(before, bytes, GUARD)) {
    if (bytes[at] !== GUARD) continue
    out.set(bytes.subarray(copied, at), length)
    length += at - copied
    copied = at + 1
  }
  out.set(bytes.subarray(copied), length)
  return out.slice(0, length + bytes.length - copied)
}

/**
 * Places whose two bytes before are zero. After an escaped one the count begins anew: when reading,
 * with the byte after the `guard`; when writing, the byte itself is the first.
 */
function* afterZeroPairs(before: Uint8Array, bytes: Uint8Array, guard?: number): Iterable<number> {
  let zeros = trailingZeros(before)
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0
    if (zeros >= 2) {
      yield at
      if (guard === undefined ? byte <= GUARD : byte === guard) zeros = 0
      if (byte === guard) {
        at++
        continue
      }
    }
    if (byte === 0) {
      zeros++
      at++
      continue
    }
    zeros = 0
    // Zeros are few in what is sealed; the search for the next one is the browser's own.
    const next = bytes.indexOf(0, at + 1)
    if (next < 0) return
    at = next
  }
}

function trailingZeros(bytes: Uint8Array): number {
  let zeros = 0
  while (zeros < 2 && bytes[bytes.length - 1 - zeros] === 0) zeros++
  return zeros
}
