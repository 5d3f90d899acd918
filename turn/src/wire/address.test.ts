import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  endpointKey,
  familyOf,
  formatAddress,
  parseAddress,
  parseSocketAddress,
} from './address.ts'

test.each([
  ['0.0.0.0', 0],
  ['127.0.0.1', 0x7f00_0001],
  ['255.255.255.255', 0xffff_ffff],
])('%s is its 32-bit number', (text, number) => {
  expect(parseAddress(text)).toBe(number)
  expect(formatAddress(number)).toBe(text)
})

test.each([
  ['::', '0:0:0:0:0:0:0:0'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['2001:DB8::8:800', '2001:db8:0:0:0:0:8:800'],
  ['fe80::', 'fe80:0:0:0:0:0:0:0'],
  ['::ffff:10.1.2.3', '0:0:0:0:0:ffff:a01:203'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
])('%s has the bytes of %s', (text, full) => {
  const address = parseAddress(text) ?? 0
  expect(familyOf(address)).toBe(6)
  expect(formatAddress(address)).toBe(full)
})

test.each([
  ...['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1..2.3', '1.2.3.', '0x7f.0.0.1'],
  ...['1::2::3', ':1', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '::12345', '1.2.3.4::', '::1.2.3'],
  ...['1:2:3:4:5:6:7::8', 'example.org', '::%eth0'],
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeUndefined()
})

test('every address survives its text', () => {
  const ipv4 = fc.integer({ min: 0, max: 0xffff_ffff })
  const ipv6 = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => String.fromCharCode(...bytes))
  fc.assert(
    fc.property(fc.oneof(ipv4, ipv6), (address) => {
      expect(parseAddress(formatAddress(address))).toBe(address)
    }),
  )
})

test('what sockets report is canonical: no zone, no mapped IPv4', () => {
  expect(parseSocketAddress('::ffff:192.0.2.1')).toBe(parseAddress('192.0.2.1'))
  expect(parseSocketAddress('fe80::1%eth0')).toBe(parseAddress('fe80::1'))
})

test('keys tell ports and addresses apart', () => {
  const keys = [
    endpointKey(1, 2),
    endpointKey(2, 1),
    endpointKey(0xffff_ffff, 0xffff),
    endpointKey('\x01'.repeat(16), 2),
    endpointKey('\x01'.repeat(16), 3),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(Number.isSafeInteger(endpointKey(0xffff_ffff, 0xffff))).toBe(true)
})
