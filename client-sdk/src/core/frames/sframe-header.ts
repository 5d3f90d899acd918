/** What an SFrame header says: which key, and which number of it. Both are unsigned 64 bits. */
export interface SframeHeader {
  readonly kid: bigint
  readonly ctr: bigint
}

/** A header, and how many bytes it took. */
export interface DecodedHeader extends SframeHeader {
  readonly length: number
}

const EXTENDED = 0x8
const LARGEST_INLINE = 7n
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn

/**
 * Encodes a header: a config byte of two nibbles, one for KID and one for CTR, each the value
 * itself up to 7, or else a flag and the number of bytes that follow, less one. RFC 9605 §4.3.
 */
export function encodeSframeHeader({ kid, ctr }: SframeHeader): Uint8Array<ArrayBuffer> {
  const kidBytes = extensionOf(kid)
  const ctrBytes = extensionOf(ctr)
  const header = new Uint8Array(1 + kidBytes.length + ctrBytes.length)
  header[0] = (nibbleOf(kid, kidBytes) << 4) | nibbleOf(ctr, ctrBytes)
  header.set(kidBytes, 1)
  header.set(ctrBytes, 1 + kidBytes.length)
  return header
}

/** Decodes the header at the beginning of `bytes`; undefined if cut short or longer than needed. */
export function decodeSframeHeader(bytes: Uint8Array): DecodedHeader | undefined {
  const config = bytes[0]
  if (config === undefined) return undefined
  const kid = readField(bytes, 1, config >> 4)
  if (!kid) return undefined
  const ctr = readField(bytes, kid.end, config & 0xf)
  return ctr && { kid: kid.value, ctr: ctr.value, length: ctr.end }
}

function extensionOf(value: bigint): readonly number[] {
  if (value < 0n || value > MAX_UINT64) throw new RangeError('not an unsigned 64-bit integer')
  if (value <= LARGEST_INLINE) return []
  const bytes: number[] = []
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 0xffn))
  return bytes
}

function nibbleOf(value: bigint, extension: readonly number[]): number {
  return extension.length === 0 ? Number(value) : EXTENDED | (extension.length - 1)
}

function readField(bytes: Uint8Array, start: number, nibble: number) {
  if (nibble < EXTENDED) return { value: BigInt(nibble), end: start }
  const end = start + (nibble & LARGEST_LENGTH) + 1
  if (end > bytes.length) return undefined
  let value = 0n
  for (let i = start; i < end; i++) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  // One value has one encoding, the shortest.
  const isShortest = value > LARGEST_INLINE && bytes[start] !== 0
  return isShortest ? { value, end } : undefined
}

const LARGEST_LENGTH = 0x7
