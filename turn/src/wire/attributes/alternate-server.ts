import type { Endpoint, IpAddress } from '../address.ts'
import { endpointOf, wordAt } from '../address.ts'
import { readUint16, readUint32, writeUint16, writeUint32 } from '../bytes.ts'
import type { Attribute } from './attribute.ts'

export const ALTERNATE_SERVER = 0x8023

/** Encodes ALTERNATE-SERVER, an address in clear. RFC 8489 §14.15, §14.1. */
export function alternateServer({
  address,
  port,
}: {
  readonly address: IpAddress
  readonly port: number
}): Attribute {
  const isIpv4 = typeof address === 'number'
  const value = new Uint8Array(isIpv4 ? 8 : 20)
  value[1] = isIpv4 ? 0x01 : 0x02
  writeUint16(value, 2, port)
  if (isIpv4) writeUint32(value, 4, address)
  else for (let at = 0; at < 16; at += 4) writeUint32(value, 4 + at, wordAt(address, at))
  return { type: ALTERNATE_SERVER, value }
}

/** Decodes ALTERNATE-SERVER; `undefined` for an odd length or family. */
export function readAlternateServer(value: Uint8Array): Endpoint | undefined {
  const port = readUint16(value, 2)
  if (value[1] === 0x01 && value.length === 8) return endpointOf(readUint32(value, 4), port)
  if (value[1] !== 0x02 || value.length !== 20) return undefined
  return endpointOf(String.fromCharCode(...value.subarray(4)), port)
}
