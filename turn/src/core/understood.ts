import type { Attribute, Message } from '../wire/index.ts'
import {
  CHANNEL_NUMBER,
  DATA,
  ERROR_CODE,
  EVEN_PORT,
  LIFETIME,
  NONCE,
  PASSWORD_ALGORITHM,
  REALM,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  RESERVATION_TOKEN,
  UNKNOWN_ATTRIBUTES,
  USERHASH,
  USERNAME,
  XOR_MAPPED_ADDRESS,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
  isComprehensionRequired,
  unknownAttributes,
} from '../wire/index.ts'

/**
 * Attributes that the server understands; one that is out of place is ignored. DONT-FRAGMENT is not
 * among them, since Node cannot set the bit, so it gets the 420 that RFC 8656 §7.2 gives to servers
 * that do not support it.
 */
const understood: ReadonlySet<number> = new Set([
  CHANNEL_NUMBER,
  DATA,
  ERROR_CODE,
  EVEN_PORT,
  LIFETIME,
  NONCE,
  PASSWORD_ALGORITHM,
  REALM,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  RESERVATION_TOKEN,
  UNKNOWN_ATTRIBUTES,
  USERHASH,
  USERNAME,
  XOR_MAPPED_ADDRESS,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
])

/** More types than this in one 420 tell the client nothing new. */
const MAX_LISTED = 16

/** UNKNOWN-ATTRIBUTES for a message that must be refused; `undefined` when it is understood. */
export function unknownAttributesOf(message: Message): Attribute | undefined {
  const types = new Set<number>()
  for (const { type } of message.attributes) {
    if (isComprehensionRequired(type) && !understood.has(type)) types.add(type)
  }
  return types.size === 0 ? undefined : unknownAttributes([...types].slice(0, MAX_LISTED))
}
