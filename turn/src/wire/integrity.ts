import { timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { HmacHash } from './hmac.ts'
import { digest, hmac } from './hmac.ts'
import type { PasswordAlgorithm } from './attributes/password-algorithms.ts'
import { readUint16, readUint32, writeUint16 } from './bytes.ts'

export const MESSAGE_INTEGRITY = 0x0008
export const MESSAGE_INTEGRITY_SHA256 = 0x001c
export const FINGERPRINT = 0x8028

/** Bytes of FINGERPRINT with its header. RFC 8489 §14.7. */
export const FINGERPRINT_ATTRIBUTE_BYTES = 8

/** The hash of an integrity attribute: MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256. */
export type IntegrityHash = HmacHash

/** Bytes of the attribute with its header: HMAC-SHA1 is 20 bytes, HMAC-SHA256 is 32. RFC 8489 §14.5, §14.6. */
export const integrityAttributeBytes: Readonly<Record<IntegrityHash, number>> = {
  sha1: 24,
  sha256: 36,
}

const HEADER_BYTES = 20
const ATTRIBUTE_HEADER_BYTES = 4
const FINGERPRINT_XOR = 0x5354554e

/**
 * Key of the long-term credential mechanism: a hash of `username:realm:password`, MD5 unless the
 * client chose from PASSWORD-ALGORITHMS. RFC 8489 §9.2.2, §18.5.
 */
export function longTermKey(
  username: string,
  realm: string,
  password: string,
  algorithm: PasswordAlgorithm = 'md5',
): Uint8Array {
  return digest(algorithm, `${username}:${realm}:${password}`)
}

/**
 * HMAC over the message up to its integrity attribute, which starts at `offset`, with the header's
 * length counting that attribute. The message is not changed. RFC 8489 §14.5, §14.6.
 */
export function messageIntegrity(
  message: Uint8Array,
  offset: number,
  key: Uint8Array,
  hash: IntegrityHash = 'sha1',
): Uint8Array {
  // Not `slice`, which on a Buffer is a view.
  const header = Uint8Array.from(message.subarray(0, HEADER_BYTES))
  writeUint16(header, 2, offset + integrityAttributeBytes[hash] - HEADER_BYTES)
  return hmac(hash, key, header, message.subarray(HEADER_BYTES, offset))
}

/**
 * Whether the integrity attribute that starts at `offset` was made with `key`; constant time. A
 * truncated MESSAGE-INTEGRITY-SHA256 is not: RFC 8489 §14.6 leaves truncation to the usage, and TURN
 * does not allow it.
 */
export function isIntact(
  message: Uint8Array,
  offset: number,
  key: Uint8Array,
  hash: IntegrityHash = 'sha1',
): boolean {
  const start = offset + ATTRIBUTE_HEADER_BYTES
  const received = message.subarray(start, offset + integrityAttributeBytes[hash])
  if (readUint16(message, offset + 2) !== received.length) return false
  const expected = messageIntegrity(message, offset, key, hash)
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
