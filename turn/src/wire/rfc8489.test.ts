import { describe, expect, test } from 'vitest'
import {
  PASSWORD_ALGORITHM,
  REALM,
  USERHASH,
  attributeValue,
  decodeMessage,
  encodeMessage,
  isIntact,
  longTermKey,
  readPasswordAlgorithm,
  readUserHash,
  transactionIdOf,
  userHashOf,
} from './index.ts'

/** Appendix B.1 with the PASSWORD-ALGORITHM and the MAC of its verified erratum. */
const request = bytes(`
  00010090 2112a442 78ad3433c6ad72c029da412e
  001e0020 4a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704
  00150029 6f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c39
           465354767936347341000000
  0014000b 6578616d706c652e6f726700
  001d0004 00020000
  001c0020 b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65`)
const key = longTermKey('マトリックス', 'example.org', 'TheMatrIX', 'sha256')

describe('RFC 8489 appendix B.1', () => {
  test('names the user by hash and is signed with HMAC-SHA256', () => {
    const message = decode(request)
    const hash = attributeValue(message, USERHASH) ?? new Uint8Array()
    expect(readUserHash(hash)).toBe(Buffer.from(hash).toString('hex'))
    expect(userHashOf('マトリックス', 'example.org')).toEqual(Buffer.from(hash))
    const algorithm = attributeValue(message, PASSWORD_ALGORITHM) ?? new Uint8Array()
    expect(readPasswordAlgorithm(algorithm)).toBe('sha256')
    expect(message.integrityOffset).toBeUndefined()
    expect(isIntact(request, message.sha256IntegrityOffset ?? 0, key, 'sha256')).toBe(true)
    expect(isIntact(request, message.sha256IntegrityOffset ?? 0, key, 'sha1')).toBe(false)
  })

  test('encoding the same parts gives it again, byte by byte', () => {
    const message = decode(request)
    const transactionId = transactionIdOf(message)
    const parts = { ...message, transactionId, integrityKey: key, integrityHash: 'sha256' as const }
    expect(Buffer.from(encodeMessage(parts))).toEqual(request)
  })
})

test('what follows MESSAGE-INTEGRITY-SHA256 does not count', () => {
  const forged = Buffer.concat([request, bytes('0014000378797a00 00080014'), Buffer.alloc(20)])
  forged.writeUInt16BE(forged.length - 20, 2)
  const message = decode(forged)
  expect(message.attributes.filter(({ type }) => type === REALM)).toHaveLength(1)
  expect(message.integrityOffset).toBeUndefined()
})

test('a truncated MESSAGE-INTEGRITY-SHA256 proves nothing, since TURN does not allow it', () => {
  for (const length of [12, 16, 28]) {
    const cut = Buffer.from(request.subarray(0, request.length - 32 + length))
    cut.writeUInt16BE(cut.length - 20, 2)
    cut.writeUInt16BE(length, request.length - 34)
    expect(isIntact(cut, decode(cut).sha256IntegrityOffset ?? 0, key, 'sha256')).toBe(false)
  }
})

function decode(vector: Uint8Array) {
  const decoded = decodeMessage(vector)
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.message
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
}
