import { readUint16, writeUint16 } from '../bytes.ts'
import type { Attribute } from './attribute.ts'

export const UNKNOWN_ATTRIBUTES = 0x000a

/** Encodes UNKNOWN-ATTRIBUTES: the types, 2 bytes each. RFC 8489 §14.13. */
export function unknownAttributes(types: readonly number[]): Attribute {
  const value = new Uint8Array(types.length * 2)
  types.forEach((type, index) => writeUint16(value, index * 2, type))
  return { type: UNKNOWN_ATTRIBUTES, value }
}

/** Decodes UNKNOWN-ATTRIBUTES; `undefined` for an odd number of bytes. */
export function readUnknownAttributes(value: Uint8Array): readonly number[] | undefined {
  if (value.length % 2 !== 0) return undefined
  return Array.from({ length: value.length / 2 }, (_, index) => readUint16(value, index * 2))
}
