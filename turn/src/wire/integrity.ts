import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { readUint32, writeUint16 } from './bytes.ts'

export const MESSAGE_INTEGRITY = 0x0008
export const FINGERPRINT = 0x8028

/** Bytes of MESSAGE-INTEGRITY with its header: HMAC-SHA1 is 20 bytes. RFC 8489 §14.5. */
export const INTEGRITY_ATTRIBUTE_BYTES = 24
/** Bytes of FINGERPRINT with its header. RFC 8489 §14.7. */
export const FINGERPRINT_ATTRIBUTE_BYTES = 8

const HEADER_BYTES = 20
const ATTRIBUTE_HEADER_BYTES = 4
const FINGERPRINT_XOR = 0x5354554e

/**
 * Key of the long-term credential mechanism: MD5 of `username:realm:password`. RFC 8489 §9.2.2.
 * The mechanism prescribes MD5; SHA-256 keys come with PASSWORD-ALGORITHMS.
 */
export function longTermKey(username: string, realm: string, password: string): Uint8Array {
  return createHash('md5').update(`${username}:${realm}:${password}`).digest()
}

/**
 * HMAC-SHA1 over the message up to its MESSAGE-INTEGRITY attribute, which starts at `offset`, with
 * the header's length counting that attribute. The message is not changed. RFC 8489 §14.5.
 */
export function messageIntegrity(message: Uint8Array, offset: number, key: Uint8Array): Uint8Array {
  // Not `slice`, which on a Buffer is a view.
  const header = Uint8Array.from(message.subarray(0, HEADER_BYTES))
  writeUint16(header, 2, offset + INTEGRITY_ATTRIBUTE_BYTES - HEADER_BYTES)
  return createHmac('sha1', key)
    .update(header)
    .update(message.subarray(HEADER_BYTES, offset))
    .digest()
}

/** Whether the MESSAGE-INTEGRITY that starts at `offset` was made with `key`; constant time. */
export function isIntact(message: Uint8Array, offset: number, key: Uint8Array): boolean {
  const start = offset + ATTRIBUTE_HEADER_BYTES
  const received = message.subarray(start, offset + INTEGRITY_ATTRIBUTE_BYTES)
  const expected = messageIntegrity(message, offset, key)
  return received.length === expected.length && timingSafeEqual(received, expected)
}

/** FINGERPRINT of the message whose FINGERPRINT attribute starts at `offset`. RFC 8489 §14.7. */
export function fingerprint(message: Uint8Array, offset: number): number {
  return (crc32(message.subarray(0, offset)) ^ FINGERPRINT_XOR) >>> 0
}

/** Whether the FINGERPRINT that starts at `offset` is right. */
export function hasGoodFingerprint(message: Uint8Array, offset: number): boolean {
  return readUint32(message, offset + ATTRIBUTE_HEADER_BYTES) === fingerprint(message, offset)
}
