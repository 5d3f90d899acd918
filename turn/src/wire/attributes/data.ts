import type { Attribute } from './attribute.ts'

export const DATA = 0x0013

/** Wraps a payload in DATA, without copying it. RFC 8656 §18.4. */
export function data(payload: Uint8Array): Attribute {
  return { type: DATA, value: payload }
}
