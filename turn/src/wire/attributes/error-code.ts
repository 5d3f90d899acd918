import type { Attribute } from './attribute.ts'

export const ERROR_CODE = 0x0009

/** Encodes ERROR-CODE: class, number, and the reason as UTF-8, which may be empty. RFC 8489 §14.8. */
export function errorCode(code: number, reason: string): Attribute {
  const text = Buffer.from(reason, 'utf8')
  const value = new Uint8Array(4 + text.length)
  value[2] = Math.trunc(code / 100)
  value[3] = code % 100
  value.set(text, 4)
  return { type: ERROR_CODE, value }
}

/** Decodes ERROR-CODE; `undefined` when the class is not 3–6 or the number not 0–99. */
export function readErrorCode(
  value: Uint8Array,
): { readonly code: number; readonly reason: string } | undefined {
  if (value.length < 4) return undefined
  const errorClass = (value[2] ?? 0) & 0x07
  const number = value[3] ?? 0
  if (errorClass < 3 || errorClass > 6 || number > 99) return undefined
  const reason = Buffer.from(value.subarray(4)).toString('utf8')
  return { code: errorClass * 100 + number, reason }
}
