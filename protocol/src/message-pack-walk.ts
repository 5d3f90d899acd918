/** Deeper than any message of ours; enough that what is refused later is refused in words. */
const MOST_DEPTH = 32

/** Bytes that hold the length of what follows, by first byte; else the length is in that byte. */
const LENGTH_BYTES: ReadonlyMap<number, number> = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
  [0xdc, 2],
  [0xdd, 4],
  [0xde, 2],
  [0xdf, 4],
])

/** Bytes of a number after its first one. */
const NUMBER_BYTES: ReadonlyMap<number, number> = new Map([
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
])

/** What stands at one place: how far it reaches, and how many values it announces. */
interface Head {
  readonly next: number
  readonly values: number
}

/**
 * Walks over a message without making anything of it, and throws unless it is one complete value of
 * bounded depth. A decoder makes room for what a header announces: after this each value of it is
 * known to be there. Extension types are refused, as nothing of ours is sent in them.
 */
export function walk(bytes: Uint8Array): void {
  /** Values that are still to come, at each depth. */
  const left = [1]
  let at = 0
  while (left.length > 0) {
    const open = left.length - 1
    const count = left[open] ?? 0
    if (count === 0) {
      left.pop()
      continue
    }
    left[open] = count - 1
    const { next, values } = headAt(bytes, at)
    if (next > bytes.length) throw new RangeError('the message ends too early')
    at = next
    if (values === 0) continue
    if (left.length > MOST_DEPTH) throw new RangeError('the message is too deep')
    // Each value takes a byte at least.
    if (values > bytes.length - at) throw new RangeError('the message ends too early')
    left.push(values)
  }
  if (at < bytes.length) throw new RangeError('the message goes on after its end')
}

function headAt(bytes: Uint8Array, at: number): Head {
  const first = bytes[at]
  if (first === undefined) throw new RangeError('the message ends too early')
  // Small numbers, nil, false, true.
  if (first < 0x80 || first >= 0xe0 || first === 0xc0 || first === 0xc2 || first === 0xc3) {
    return { next: at + 1, values: 0 }
  }
  if (first < 0x90) return { next: at + 1, values: 2 * (first & 0x0f) }
  if (first < 0xa0) return { next: at + 1, values: first & 0x0f }
  if (first < 0xc0) return { next: at + 1 + (first & 0x1f), values: 0 }
  const numberBytes = NUMBER_BYTES.get(first)
  if (numberBytes !== undefined) return { next: at + 1 + numberBytes, values: 0 }
  const lengthBytes = LENGTH_BYTES.get(first)
  if (lengthBytes === undefined) throw new RangeError(`no value begins with ${first}`)
  const length = bigEndian(bytes, at + 1, lengthBytes)
  const next = at + 1 + lengthBytes
  if (first <= 0xdb) return { next: next + length, values: 0 }
  return { next, values: first <= 0xdd ? length : 2 * length }
}

function bigEndian(bytes: Uint8Array, from: number, count: number): number {
  let value = 0
  for (let i = from; i < from + count; i++) {
    const byte = bytes[i]
    if (byte === undefined) throw new RangeError('the message ends too early')
    value = value * 256 + byte
  }
  return value
}
