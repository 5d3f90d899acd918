import type { Attribute } from './attribute.ts'
import { readRequestedAddressFamily, requestedAddressFamily } from './requested-address-family.ts'

export const ADDITIONAL_ADDRESS_FAMILY = 0x8000

/** Encodes ADDITIONAL-ADDRESS-FAMILY, whose only value asks for IPv6. RFC 8656 §18.11. */
export function additionalAddressFamily(): Attribute {
  return { type: ADDITIONAL_ADDRESS_FAMILY, value: requestedAddressFamily(6).value }
}

/** Whether the value is the one that the RFC allows. */
export function asksForIpv6Too(value: Uint8Array): boolean {
  return readRequestedAddressFamily(value) === 6
}
