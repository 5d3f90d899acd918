import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endpointOf } from '../address.ts'
import { channelNumber, readChannelNumber } from './channel-number.ts'
import { USERNAME, credentialText, readCredentialText, readUsername } from './credential-text.ts'
import { data } from './data.ts'
import { errorCode, readErrorCode } from './error-code.ts'
import { evenPort, readEvenPort } from './even-port.ts'
import { lifetime, readLifetime } from './lifetime.ts'
import { readRequestedAddressFamily, requestedAddressFamily } from './requested-address-family.ts'
import { readRequestedTransport, requestedTransport } from './requested-transport.ts'
import { readReservationToken } from './reservation-token.ts'
import { readUnknownAttributes, unknownAttributes } from './unknown-attributes.ts'
import { XOR_PEER_ADDRESS, readXorAddress, xorAddress } from './xor-address.ts'

describe('an attribute survives its bytes', () => {
  test('LIFETIME', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (seconds) => {
        expect(readLifetime(lifetime(seconds).value)).toBe(seconds)
      }),
    )
  })

  test('XOR-PEER-ADDRESS, in both families', () => {
    const ipv4 = fc.integer({ min: 0, max: 0xffff_ffff })
    const ipv6 = fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => String.fromCharCode(...bytes))
    const port = fc.integer({ min: 0, max: 0xffff })
    const transactionId = fc.uint8Array({ minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), port, transactionId, (address, portNumber, id) => {
        const peer = endpointOf(address, portNumber)
        expect(readXorAddress(xorAddress(XOR_PEER_ADDRESS, peer, id).value, id)).toEqual(peer)
      }),
    )
  })

  test('ERROR-CODE, without and with words', () => {
    expect(readErrorCode(errorCode(438, '').value)).toEqual({ code: 438, reason: '' })
    expect(readErrorCode(errorCode(486, 'Zu viel ✋').value)).toEqual({
      code: 486,
      reason: 'Zu viel ✋',
    })
    expect(Buffer.from(errorCode(401, '').value).toString('hex')).toBe('00000401')
  })

  test('the others', () => {
    expect(readChannelNumber(channelNumber(0x4abc).value)).toBe(0x4abc)
    expect(readEvenPort(evenPort({ reserveNext: true }).value)).toEqual({ reserveNext: true })
    expect(readEvenPort(evenPort({ reserveNext: false }).value)).toEqual({ reserveNext: false })
    expect(readRequestedTransport(requestedTransport(17).value)).toBe(17)
    expect(readRequestedAddressFamily(requestedAddressFamily(4).value)).toBe(4)
    expect(readRequestedAddressFamily(requestedAddressFamily(6).value)).toBe(6)
    expect(readUnknownAttributes(unknownAttributes([0x1a, 0x7fff]).value)).toEqual([0x1a, 0x7fff])
    expect(readUsername(credentialText(USERNAME, '1:é:b').value)).toBe('1:é:b')
    expect(readReservationToken(new Uint8Array(8))).toEqual(new Uint8Array(8))
    const payload = new Uint8Array(3)
    expect(data(payload).value).toBe(payload)
  })
})

test('a value of another length, family or encoding is malformed', () => {
  const id = new Uint8Array(12)
  const readers = [
    readLifetime,
    readChannelNumber,
    readRequestedTransport,
    readRequestedAddressFamily,
    readEvenPort,
    readReservationToken,
    (value: Uint8Array) => readXorAddress(value, id),
    (value: Uint8Array) => readUnknownAttributes(value),
    (value: Uint8Array) => readErrorCode(value.subarray(0, 3)),
  ]
  for (const read of readers) expect(read(new Uint8Array(7))).toBeUndefined()
  expect(readXorAddress(Buffer.from('0003a147e112a643', 'hex'), id)).toBeUndefined()
  expect(readXorAddress(Buffer.from('0002a147e112a643', 'hex'), id)).toBeUndefined()
  expect(readErrorCode(Buffer.from('00000201', 'hex'))).toBeUndefined()
  expect(readErrorCode(Buffer.from('00000464', 'hex'))).toBeUndefined()
  expect(readUsername(new Uint8Array(509).fill(0x61))).toBeUndefined()
  expect(readUsername(Uint8Array.of(0xff))).toBeUndefined()
  expect(readCredentialText(new Uint8Array(764).fill(0x61))).toBeUndefined()
  expect(readRequestedAddressFamily(Uint8Array.of(3, 0, 0, 0))).toBe('unknown')
})
