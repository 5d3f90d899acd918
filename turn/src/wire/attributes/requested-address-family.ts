import type { Family } from '../address.ts'
import type { Attribute } from './attribute.ts'

export const REQUESTED_ADDRESS_FAMILY = 0x0017

/** Encodes REQUESTED-ADDRESS-FAMILY: the family and 3 reserved bytes. RFC 8656 §18.6. */
export function requestedAddressFamily(family: Family): Attribute {
  const code = family === 4 ? 0x01 : 0x02
  return { type: REQUESTED_ADDRESS_FAMILY, value: Uint8Array.of(code, 0, 0, 0) }
}

/** Decodes REQUESTED-ADDRESS-FAMILY; a family that IANA does not know gives `unknown`. */
export function readRequestedAddressFamily(value: Uint8Array): Family | 'unknown' | undefined {
  if (value.length !== 4) return undefined
  switch (value[0]) {
    case 0x01:
      return 4
    case 0x02:
      return 6
    default:
      return 'unknown'
  }
}
