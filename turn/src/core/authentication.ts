import type { Message } from '../wire/index.ts'
import {
  NONCE,
  REALM,
  USERNAME,
  attributeValue,
  isIntact,
  readCredentialText,
  readUsername,
} from '../wire/index.ts'
import type { Client } from './allocation.ts'
import { isFreshNonce } from './nonce.ts'
import type { ServerState } from './server-state.ts'
import type { StunError } from './stun-errors.ts'
import { stunErrors } from './stun-errors.ts'

/** Who signed a request, or what to answer. `challenge`: with REALM and a fresh NONCE. */
export type Authentication =
  | {
      readonly ok: true
      readonly user: string
      readonly username: string
      readonly key: Uint8Array
    }
  | { readonly ok: false; readonly error: StunError; readonly challenge: boolean }

const badRequest: Authentication = {
  ok: false,
  error: stunErrors.badRequest,
  challenge: false,
}
const unauthenticated: Authentication = {
  ok: false,
  error: stunErrors.unauthenticated,
  challenge: true,
}
const staleNonce: Authentication = { ok: false, error: stunErrors.staleNonce, challenge: true }

/**
 * Checks a request against the long-term credential mechanism, RFC 8489 §9.2.4.
 *
 * The nonce comes before the integrity: a stranger who never got one costs a single hash. A running
 * allocation goes on with the username that it was created with, also past that one's expiry: losing
 * whoever mints credentials must not end calls.
 */
export function authenticate(
  state: ServerState,
  client: Client,
  message: Message,
  now: number,
): Authentication {
  const { integrityOffset } = message
  if (integrityOffset === undefined) return unauthenticated
  const usernameBytes = attributeValue(message, USERNAME)
  const realmBytes = attributeValue(message, REALM)
  const nonceBytes = attributeValue(message, NONCE)
  if (!usernameBytes || !realmBytes || !nonceBytes) return badRequest
  const username = readUsername(usernameBytes)
  const realm = readCredentialText(realmBytes)
  const nonce = readCredentialText(nonceBytes)
  if (username === undefined || realm === undefined || nonce === undefined) return badRequest

  const { config } = state
  const wallMs = now + state.wallOffsetMs
  if (!isFreshNonce(nonce, config.nonceKey, client.endpoint, wallMs)) return staleNonce
  if (realm !== config.realm) return unauthenticated

  const { allocation } = client
  if (allocation?.username === username) {
    const key = allocation.integrityKey
    if (!isIntact(message.bytes, integrityOffset, key)) return unauthenticated
    return { ok: true, user: allocation.user, username, key }
  }
  // An unusable username is checked like any other, so that the time taken tells nothing.
  const { user, keys } = config.credentials(username, wallMs)
  for (const key of keys) {
    if (!isIntact(message.bytes, integrityOffset, key)) continue
    return user === undefined ? unauthenticated : { ok: true, user, username, key }
  }
  return unauthenticated
}
