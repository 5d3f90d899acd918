import type { Attribute } from './attribute.ts'

/** RESERVATION-TOKEN: 8 opaque bytes. RFC 8656 §18.10. */
export const RESERVATION_TOKEN = 0x0022

/** Encodes RESERVATION-TOKEN. */
export function reservationToken(token: Uint8Array): Attribute {
  return { type: RESERVATION_TOKEN, value: token }
}

/** Decodes RESERVATION-TOKEN; `undefined` unless the value has 8 bytes. */
export function readReservationToken(value: Uint8Array): Uint8Array | undefined {
  return value.length === 8 ? value : undefined
}
