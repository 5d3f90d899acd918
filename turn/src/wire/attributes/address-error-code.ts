import type { Family } from '../address.ts'
import type { Attribute } from './attribute.ts'
import { errorCode, readErrorCode } from './error-code.ts'

export const ADDRESS_ERROR_CODE = 0x8001

/**
 * Encodes ADDRESS-ERROR-CODE: the family that a dual allocation lacks, and why. RFC 8656 §18.12.
 */
export function addressErrorCode(family: Family, code: number, reason: string): Attribute {
  const { value } = errorCode(code, reason)
  value[0] = family === 4 ? 0x01 : 0x02
  return { type: ADDRESS_ERROR_CODE, value }
}

/** Decodes ADDRESS-ERROR-CODE; `undefined` for an unknown family or a malformed error. */
export function readAddressErrorCode(
  value: Uint8Array,
): { readonly family: Family; readonly code: number; readonly reason: string } | undefined {
  const error = readErrorCode(value)
  const family = value[0] === 0x01 ? 4 : value[0] === 0x02 ? 6 : undefined
  return error && family && { family, ...error }
}
