import type { Family, Message } from '../wire/index.ts'
import {
  ADDITIONAL_ADDRESS_FAMILY,
  EVEN_PORT,
  LIFETIME,
  PROTOCOL_UDP,
  REQUESTED_ADDRESS_FAMILY,
  REQUESTED_TRANSPORT,
  RESERVATION_TOKEN,
  asksForIpv6Too,
  attributeValue,
  familyOf,
  readEvenPort,
  readLifetime,
  readRequestedAddressFamily,
  readRequestedTransport,
  readReservationToken,
} from '../wire/index.ts'
import type { Client, PortChoice } from './allocation.ts'
import { grantedLifetimeS } from './allocation.ts'
import type { Reply } from './replies.ts'
import type { ServerConfig } from './server-state.ts'
import type { StunError } from './stun-errors.ts'
import { stunErrors } from './stun-errors.ts'
import { unknownAttributesOf } from './understood.ts'

/** What a well-formed Allocate asks for. */
export interface AllocateWish {
  /** One family, or both for a dual allocation. Empty with a token, which knows its own. */
  readonly families: readonly Family[]
  readonly choice: Exclude<PortChoice, 'redeemed'>
  readonly token: Uint8Array | undefined
  readonly lifetimeS: number
}

type Refusal = Extract<Reply, { ok: false }>

/** Reads an Allocate, refusing what RFC 8656 §7.2 refuses in steps 3 to 9. */
export function readWish(
  config: ServerConfig,
  client: Client,
  message: Message,
): AllocateWish | Refusal {
  const unknown = unknownAttributesOf(message)
  if (unknown) {
    return { ok: false, error: stunErrors.unknownAttribute, attributes: [unknown] }
  }
  const transport = attributeValue(message, REQUESTED_TRANSPORT)
  const protocol = transport && readRequestedTransport(transport)
  if (protocol === undefined) return refusal(stunErrors.badRequest)
  if (protocol !== PROTOCOL_UDP) return refusal(stunErrors.transportNotSupported)

  const familyValue = attributeValue(message, REQUESTED_ADDRESS_FAMILY)
  const additionalValue = attributeValue(message, ADDITIONAL_ADDRESS_FAMILY)
  const evenValue = attributeValue(message, EVEN_PORT)
  const lifetimeValue = attributeValue(message, LIFETIME)
  const tokenValue = attributeValue(message, RESERVATION_TOKEN)
  const family = familyValue ? readRequestedAddressFamily(familyValue) : familyFor(config, client)
  const even = evenValue ? readEvenPort(evenValue) : { reserveNext: false }
  const requestedS = lifetimeValue && readLifetime(lifetimeValue)
  const token = tokenValue && readReservationToken(tokenValue)
  if (family === undefined || even === undefined) return refusal(stunErrors.badRequest)
  if (lifetimeValue && requestedS === undefined) return refusal(stunErrors.badRequest)
  if (tokenValue && !token) return refusal(stunErrors.badRequest)
  if (token && (evenValue || familyValue || additionalValue)) {
    return refusal(stunErrors.badRequest)
  }
  if (additionalValue) {
    const isAlone = !familyValue && !even.reserveNext && asksForIpv6Too(additionalValue)
    if (!isAlone) return refusal(stunErrors.badRequest)
  }
  const families: readonly (Family | 'unknown')[] = additionalValue ? [4, 6] : [family]
  const offered = families.filter((each) => each !== 'unknown' && config.announced[each])
  if (!token && offered.length === 0) return refusal(stunErrors.familyNotSupported)
  return {
    families: token ? [] : families.filter((each) => each !== 'unknown'),
    choice: even.reserveNext ? 'pair' : evenValue ? 'even' : 'any',
    token,
    lifetimeS: grantedLifetimeS(requestedS),
  }
}

/** The family that a client gets which names none. RFC 8656 §7.2, step 7, says IPv4. */
function familyFor({ defaultFamily, announced }: ServerConfig, { endpoint }: Client): Family {
  if (defaultFamily === 'ipv4') return 4
  const family = familyOf(endpoint.address)
  // A client is better served by the other family than by none.
  return announced[family] === undefined ? (family === 4 ? 6 : 4) : family
}

function refusal(error: StunError): Refusal {
  return { ok: false, error }
}
