import type { Attribute } from './attribute.ts'

export const USERNAME = 0x0006
export const REALM = 0x0014
export const NONCE = 0x0015

/** USERNAME is shorter than this many bytes. RFC 8489 §14.3. */
const MAX_USERNAME_BYTES = 508
/** REALM and NONCE are shorter than 128 characters, which may take this many bytes. RFC 8489 §14.9, §14.10. */
const MAX_TEXT_BYTES = 763

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Encodes USERNAME, REALM or NONCE as UTF-8. RFC 8489 §14.3, §14.9, §14.10. */
export function credentialText(type: number, text: string): Attribute {
  return { type, value: Buffer.from(text, 'utf8') }
}

/** Decodes USERNAME; `undefined` when it is too long or not UTF-8. */
export function readUsername(value: Uint8Array): string | undefined {
  return readText(value, MAX_USERNAME_BYTES)
}

/** Decodes REALM or NONCE; `undefined` when it is too long or not UTF-8. */
export function readCredentialText(value: Uint8Array): string | undefined {
  return readText(value, MAX_TEXT_BYTES)
}

function readText(value: Uint8Array, maxBytes: number): string | undefined {
  if (value.length > maxBytes) return undefined
  try {
    return utf8.decode(value)
  } catch {
    return undefined
  }
}
