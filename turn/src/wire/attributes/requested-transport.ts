import type { Attribute } from './attribute.ts'

export const REQUESTED_TRANSPORT = 0x0019

/** IANA protocol number of UDP, the only transport of RFC 8656 relays. */
export const PROTOCOL_UDP = 17

/** Encodes REQUESTED-TRANSPORT: the protocol number and 3 reserved bytes. RFC 8656 §18.8. */
export function requestedTransport(protocol: number): Attribute {
  return { type: REQUESTED_TRANSPORT, value: Uint8Array.of(protocol, 0, 0, 0) }
}

/** Decodes REQUESTED-TRANSPORT to a protocol number; `undefined` unless the value has 4 bytes. */
export function readRequestedTransport(value: Uint8Array): number | undefined {
  return value.length === 4 ? value[0] : undefined
}
