import { digest } from '../hmac.ts'
import type { Attribute } from './attribute.ts'

/** USERHASH: 32 bytes in place of USERNAME. RFC 8489 §14.4. */
export const USERHASH = 0x001e

const USERHASH_BYTES = 32

/** SHA-256 of `username:realm`, by which a client may name itself. RFC 8489 §14.4. */
export function userHashOf(username: string, realm: string): Uint8Array {
  return digest('sha256', `${username}:${realm}`)
}

/** Encodes USERHASH. */
export function userHash(username: string, realm: string): Attribute {
  return { type: USERHASH, value: userHashOf(username, realm) }
}

/** Decodes USERHASH to lower-case hex; `undefined` unless the value has 32 bytes. */
export function readUserHash(value: Uint8Array): string | undefined {
  return value.length === USERHASH_BYTES ? Buffer.from(value).toString('hex') : undefined
}
