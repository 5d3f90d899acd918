import type { Endpoint, IpAddress } from '../address.ts'
import { endpointOf, wordAt } from '../address.ts'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes.ts'
import type { Attribute } from './attribute.ts'

export const XOR_PEER_ADDRESS = 0x0012
export const XOR_RELAYED_ADDRESS = 0x0016
export const XOR_MAPPED_ADDRESS = 0x0020

const COOKIE = 0x2112a442
const COOKIE_HIGH = COOKIE >>> 16
const FAMILY_IPV4 = 0x01
const FAMILY_IPV6 = 0x02

/** Bytes of the value: 8 for IPv4, 20 for IPv6. */
export function xorAddressBytes(address: IpAddress): number {
  return typeof address === 'number' ? 8 : 20
}

/**
 * Encodes an XOR address attribute of `type`: family, port and address, the last two XORed with the
 * cookie (IPv6: and the transaction id). RFC 8489 §14.2, RFC 8656 §18.3, §18.5.
 */
export function xorAddress(
  type: number,
  endpoint: Pick<Endpoint, 'address' | 'port'>,
  transactionId: Uint8Array,
): Attribute {
  const value = new Uint8Array(xorAddressBytes(endpoint.address))
  writeXorAddress(value, 0, endpoint, transactionId)
  return { type, value }
}

/** Writes the value of an XOR address attribute at `offset`. */
export function writeXorAddress(
  out: Uint8Array,
  offset: number,
  { address, port }: Pick<Endpoint, 'address' | 'port'>,
  transactionId: Uint8Array,
): void {
  out[offset] = 0
  writeUint16(out, offset + 2, port ^ COOKIE_HIGH)
  if (typeof address === 'number') {
    out[offset + 1] = FAMILY_IPV4
    writeUint32(out, offset + 4, address ^ COOKIE)
    return
  }
  out[offset + 1] = FAMILY_IPV6
  writeUint32(out, offset + 4, wordAt(address, 0) ^ COOKIE)
  for (let at = 4; at < 16; at += 4) {
    writeUint32(out, offset + 4 + at, wordAt(address, at) ^ readUint32(transactionId, at - 4))
  }
}

/** Decodes the value of an XOR address attribute; `undefined` for an odd length or family. */
export function readXorAddress(value: Uint8Array, transactionId: Uint8Array): Endpoint | undefined {
  const port = readUint16(value, 2) ^ COOKIE_HIGH
  if (value[1] === FAMILY_IPV4 && value.length === 8) {
    return endpointOf((readUint32(value, 4) ^ COOKIE) >>> 0, port)
  }
  if (value[1] !== FAMILY_IPV6 || value.length !== 20) return undefined
  let address = ''
  for (let at = 0; at < 16; at += 4) {
    const mask = at === 0 ? COOKIE : readUint32(transactionId, at - 4)
    const word = readUint32(value, 4 + at) ^ mask
    address += String.fromCharCode(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255)
  }
  return endpointOf(address, port)
}
