/**
 * TURN REST credentials (draft-uberti-behave-turn-rest-00): the username is `expiry:user` with the
 * expiry in seconds since 1970, the password is the base64 HMAC-SHA1 of the username under a secret
 * that the TURN server shares with whoever mints. Nothing is stored on either side.
 *
 * @module
 */
import { hmac } from './wire/hmac.ts'

/** What a client hands to its `RTCPeerConnection`. */
export interface Credentials {
  readonly username: string
  readonly password: string
  /** Epoch milliseconds from which new allocations are refused. */
  readonly expiresAt: number
}

/** The user whom a username names, or why it names none. */
export type UsernameCheck =
  /** `expiresAt` is epoch ms. */
  | { readonly ok: true; readonly user: string; readonly expiresAt: number }
  | { readonly ok: false; readonly reason: 'malformed' | 'expired' }

/** Mints credentials for `user` that are good for `lifetimeSeconds` from `now` (epoch ms). */
export function mintCredentials(
  {
    user,
    secret,
    lifetimeSeconds,
  }: { readonly user: string; readonly secret: string; readonly lifetimeSeconds: number },
  now: number,
): Credentials {
  const expirySeconds = Math.floor(now / 1000) + lifetimeSeconds
  const username = `${expirySeconds}:${user}`
  return { username, password: passwordFor(username, secret), expiresAt: expirySeconds * 1000 }
}

/** The password of a username under one secret. */
export function passwordFor(username: string, secret: string): string {
  return hmac('sha1', Buffer.from(secret), Buffer.from(username)).toString('base64')
}

/**
 * Reads the expiry and the user from a username; what follows the first colon is the user, colons
 * and all. `now` is epoch ms. Says nothing about the password.
 */
export function checkUsername(username: string, now: number): UsernameCheck {
  const match = /^(\d{1,12}):(.+)$/su.exec(username)
  const user = match?.[2]
  if (user === undefined) return { ok: false, reason: 'malformed' }
  const expiresAt = Number(match?.[1]) * 1000
  return now < expiresAt ? { ok: true, user, expiresAt } : { ok: false, reason: 'expired' }
}
