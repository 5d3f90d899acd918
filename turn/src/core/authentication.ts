import type { IntegrityHash, Message, PasswordAlgorithm } from '../wire/index.ts'
import {
  NONCE,
  PASSWORD_ALGORITHM,
  PASSWORD_ALGORITHMS,
  REALM,
  USERHASH,
  USERNAME,
  attributeValue,
  isIntact,
  longTermKey,
  passwordAlgorithms,
  readCredentialText,
  readPasswordAlgorithm,
  readUserHash,
  readUsername,
  userHashOf,
} from '../wire/index.ts'
import type { Client } from './allocation.ts'
import { isFreshNonce } from './nonce.ts'
import type { ServerState } from './server-state.ts'
import type { StunError } from './stun-errors.ts'
import { stunErrors } from './stun-errors.ts'

/** What clients may choose from, the preferred one first. */
export const offeredAlgorithms: readonly PasswordAlgorithm[] = ['sha256', 'md5']

/** Who signed a request, or what to answer. `challenge`: with REALM and a fresh NONCE. */
export type Authentication =
  | {
      readonly ok: true
      readonly user: string
      readonly username: string
      readonly key: Uint8Array
      readonly passwordAlgorithm: PasswordAlgorithm
      readonly integrityHash: IntegrityHash
      readonly credentialExpiresAt: number | undefined
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

const offeredValue = Buffer.from(passwordAlgorithms(offeredAlgorithms).value)

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
  if (message.integrityOffset === undefined && message.sha256IntegrityOffset === undefined) {
    return unauthenticated
  }
  const realmBytes = attributeValue(message, REALM)
  const nonceBytes = attributeValue(message, NONCE)
  const realm = realmBytes && readCredentialText(realmBytes)
  const nonce = nonceBytes && readCredentialText(nonceBytes)
  if (realm === undefined || nonce === undefined || !hasOneName(message)) return badRequest

  const { config } = state
  const wallMs = now + state.wallOffsetMs
  if (!isFreshNonce(nonce, state.nonceKey, client.endpoint, wallMs)) return staleNonce
  if (realm !== config.realm) return unauthenticated
  const passwordAlgorithm = chosenAlgorithm(message)
  if (passwordAlgorithm === undefined) return badRequest

  const { allocation } = client
  const username = usernameOf(state, client, message)
  if (
    allocation !== undefined &&
    allocation.username === username &&
    allocation.passwordAlgorithm === passwordAlgorithm
  ) {
    const { user, integrityKey: key, credentialExpiresAt } = allocation
    const integrityHash = integrityUnder(message, key)
    if (!integrityHash) return unauthenticated
    return {
      ok: true,
      user,
      username,
      key,
      passwordAlgorithm,
      integrityHash,
      credentialExpiresAt,
    }
  }
  // An unusable username is checked like any other, so that the time taken tells nothing.
  const { user, passwords, expiresAt } = config.credentials.lookUp(username ?? '', wallMs)
  for (const password of passwords) {
    const key = longTermKey(username ?? '', realm, password, passwordAlgorithm)
    const integrityHash = integrityUnder(message, key)
    if (!integrityHash) continue
    if (user === undefined || username === undefined) return unauthenticated
    return {
      ok: true,
      user,
      username,
      key,
      passwordAlgorithm,
      integrityHash,
      credentialExpiresAt: expiresAt,
    }
  }
  return unauthenticated
}

/** A request names its user once, by USERNAME or by USERHASH, and legibly. */
function hasOneName(message: Message): boolean {
  const username = attributeValue(message, USERNAME)
  const userHash = attributeValue(message, USERHASH)
  if (username) return !userHash && readUsername(username) !== undefined
  return userHash !== undefined && readUserHash(userHash) !== undefined
}

/** The username, or the one behind the USERHASH; `undefined` when nobody known has that hash. */
function usernameOf(state: ServerState, client: Client, message: Message): string | undefined {
  const username = attributeValue(message, USERNAME)
  if (username) return readUsername(username)
  const userHash = attributeValue(message, USERHASH) ?? new Uint8Array()
  const { realm, credentials } = state.config
  const { allocation } = client
  // Usernames that carry their expiry are in no list, but this one has shown itself before.
  if (allocation && Buffer.from(userHashOf(allocation.username, realm)).equals(userHash)) {
    return allocation.username
  }
  return credentials.usernameOf(readUserHash(userHash) ?? '')
}

/**
 * The algorithm that a request's key is made with; `undefined` when what it chose from is not what we
 * offered, as after an attempt to bid the client down. RFC 8489 §9.2.4.
 */
function chosenAlgorithm(message: Message): PasswordAlgorithm | undefined {
  const list = attributeValue(message, PASSWORD_ALGORITHMS)
  const choice = attributeValue(message, PASSWORD_ALGORITHM)
  if (!list && !choice) return 'md5'
  if (!list || !choice || !offeredValue.equals(list)) return undefined
  return readPasswordAlgorithm(choice)
}

/** The hash under which the key made the message's integrity; the stronger one alone counts. */
function integrityUnder(
  { bytes, integrityOffset, sha256IntegrityOffset }: Message,
  key: Uint8Array,
): IntegrityHash | undefined {
  if (sha256IntegrityOffset !== undefined) {
    return isIntact(bytes, sha256IntegrityOffset, key, 'sha256') ? 'sha256' : undefined
  }
  return integrityOffset !== undefined && isIntact(bytes, integrityOffset, key) ? 'sha1' : undefined
}
