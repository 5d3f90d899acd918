import { readUint32, writeUint32 } from '../bytes.ts'
import type { Attribute } from './attribute.ts'

export const LIFETIME = 0x000d

/** Encodes LIFETIME: 4 bytes, big-endian, seconds. RFC 8656 §18.2. */
export function lifetime(seconds: number): Attribute {
  const value = new Uint8Array(4)
  writeUint32(value, 0, seconds)
  return { type: LIFETIME, value }
}

/** Decodes LIFETIME to seconds; `undefined` unless the value has 4 bytes. */
export function readLifetime(value: Uint8Array): number | undefined {
  return value.length === 4 ? readUint32(value, 0) : undefined
}
