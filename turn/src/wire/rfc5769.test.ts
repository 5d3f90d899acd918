import { describe, expect, test } from 'vitest'
import { USERNAME, readUsername } from './attributes/credential-text.ts'
import { XOR_MAPPED_ADDRESS, readXorAddress } from './attributes/xor-address.ts'
import { formatAddress } from './address.ts'
import { isIntact, longTermKey } from './integrity.ts'
import { attributeValue, decodeMessage, encodeMessage, transactionIdOf } from './message.ts'

const shortTermPassword = Buffer.from('VOkJxbRl1RmTxUk/WvJxBt')

const request = bytes(`
  00010058 2112a442 b7e7a701bc34d686fa87dfae
  80220010 5354554e207465737420636c69656e74
  00240004 6e0001ff 80290008 932ff9b151263b36
  00060009 6576746a3a68367659202020
  00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  80280004 e57a3bcf`)
const responseIpv4 = bytes(`
  0101003c 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220
  00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
  80280004 c07d4c96`)
const responseIpv6 = bytes(`
  01010048 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
  00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
  80280004 c8fb0b4c`)
const longTermRequest = bytes(`
  00010060 2112a442 78ad3433c6ad72c029da412e
  00060012 e3839ee38388e383aae38383e382afe382b90000
  0015001c 662f2f3439396b39353464364f4c33346f4c39465354767936347341
  0014000b 6578616d706c652e6f726700
  00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666`)

describe('RFC 5769 test vectors', () => {
  test.each([
    ['§2.1 request', request],
    ['§2.2 IPv4 response', responseIpv4],
    ['§2.3 IPv6 response', responseIpv6],
  ])('%s has the right fingerprint and integrity', (_name, vector) => {
    const message = decode(vector)
    const before = Buffer.from(vector)
    expect(message.integrityOffset).toBeDefined()
    expect(isIntact(vector, message.integrityOffset ?? 0, shortTermPassword)).toBe(true)
    expect(isIntact(vector, message.integrityOffset ?? 0, Buffer.from('another'))).toBe(false)
    expect(vector).toEqual(before)
  })

  test.each([
    ['§2.2', responseIpv4, '192.0.2.1'],
    ['§2.3', responseIpv6, '2001:db8:1234:5678:11:2233:4455:6677'],
  ])('%s maps to the address in the text', (_name, vector, host) => {
    const message = decode(vector)
    const value = attributeValue(message, XOR_MAPPED_ADDRESS) ?? new Uint8Array()
    const mapped = readXorAddress(value, transactionIdOf(message))
    expect(formatAddress(mapped?.address ?? 0)).toBe(host)
    expect(mapped?.port).toBe(32_853)
  })

  test('§2.4 is signed with the long-term key', () => {
    const message = decode(longTermRequest)
    const username = readUsername(attributeValue(message, USERNAME) ?? new Uint8Array())
    expect(username).toBe('マトリックス')
    const key = longTermKey(username ?? '', 'example.org', 'TheMatrIX')
    expect(isIntact(longTermRequest, message.integrityOffset ?? 0, key)).toBe(true)
  })

  test('encoding the same parts gives §2.4 again, byte by byte', () => {
    const message = decode(longTermRequest)
    const encoded = encodeMessage({
      ...message,
      transactionId: transactionIdOf(message),
      integrityKey: longTermKey('マトリックス', 'example.org', 'TheMatrIX'),
    })
    expect(Buffer.from(encoded)).toEqual(longTermRequest)
  })

  test('a changed byte breaks the fingerprint', () => {
    const changed = Buffer.from(request)
    changed[30] = (changed[30] ?? 0) ^ 1
    expect(decodeMessage(changed)).toMatchObject({ ok: false, reason: 'badFingerprint' })
  })
})

function decode(vector: Uint8Array) {
  const decoded = decodeMessage(vector)
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.message
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
}
