import type { Attribute } from './attribute.ts'

export const EVEN_PORT = 0x0018

/** Encodes EVEN-PORT: one byte whose top bit, R, also asks for the next port. RFC 8656 §18.7. */
export function evenPort({ reserveNext }: { readonly reserveNext: boolean }): Attribute {
  return { type: EVEN_PORT, value: Uint8Array.of(reserveNext ? 0x80 : 0) }
}

/** Decodes EVEN-PORT; `undefined` unless the value has 1 byte. */
export function readEvenPort(value: Uint8Array): { readonly reserveNext: boolean } | undefined {
  return value.length === 1 ? { reserveNext: ((value[0] ?? 0) & 0x80) !== 0 } : undefined
}
