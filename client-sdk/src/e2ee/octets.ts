/** Bytes over a buffer of their own: what WebCrypto takes. */
export type Octets = Uint8Array<ArrayBuffer>

/** base64url without padding. */
export function toText(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Reads base64url; undefined for anything else. */
export function fromText(text: string): Octets | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(binary, (char) => char.charCodeAt(0))
  } catch {
    return undefined
  }
}

export function utf8(text: string): Octets {
  return new TextEncoder().encode(text)
}

/** Fields with their lengths before them, so that no two lists of fields give the same bytes. */
export function packed(...fields: readonly Uint8Array[]): Octets {
  const total = fields.reduce((sum, { length }) => sum + 2 + length, 0)
  const bytes = new Uint8Array(total)
  let at = 0
  for (const field of fields) {
    if (field.length > 0xffff) throw new RangeError('a field is longer than 65,535 bytes')
    bytes[at] = field.length >> 8
    bytes[at + 1] = field.length & 0xff
    bytes.set(field, at + 2)
    at += 2 + field.length
  }
  return bytes
}

/** Takes apart what {@link packed} made of exactly `count` fields. */
export function unpacked(bytes: Uint8Array, count: number): readonly Octets[] | undefined {
  const fields: Octets[] = []
  let at = 0
  while (at + 2 <= bytes.length && fields.length < count) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    const end = at + 2 + length
    if (end > bytes.length) return undefined
    fields.push(bytes.slice(at + 2, end))
    at = end
  }
  return fields.length === count && at === bytes.length ? fields : undefined
}

/** A whole number of milliseconds or the like, in eight bytes. */
export function uint64(value: number): Octets {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

/** Reads eight bytes; undefined where they are not eight, or more than a number can hold. */
export function readUint64(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const value = Number(view.getBigUint64(0))
  return Number.isSafeInteger(value) ? value : undefined
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

export async function sha256(bytes: Uint8Array): Promise<Octets> {
  // A copy, for the type: it may be a view of a shared buffer.
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)))
}
