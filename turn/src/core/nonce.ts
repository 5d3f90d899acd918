import { timingSafeEqual } from 'node:crypto'
import { hmac } from '../wire/hmac.ts'
import type { Endpoint } from '../wire/index.ts'

/**
 * How long a nonce is good. Longer saves a round trip per refresh; shorter shrinks the time in which
 * a sniffed request can be replayed from the same address.
 */
export const NONCE_LIFETIME_MS = 600_000

/** How far ahead of our clock a nonce may be: another worker or node of a fleet issued it. */
const MAX_SKEW_MS = 5_000

/** RFC 8489 §9.2: tells a client that four characters of security features follow. */
const COOKIE = 'obMatJos2'

/** Features of RFC 8489 §18.1, counted from the right of 24 bits. */
const PASSWORD_ALGORITHMS_BIT = 1 << 0
const USERNAME_ANONYMITY_BIT = 1 << 1

const TIME_BYTES = 4
/** 64 bits: nobody finds one by trying within a nonce's life, and answers to strangers stay small. */
const MAC_BYTES = 8

/** Security features that a nonce promises, protected by its MAC against being bid down. */
export interface NonceFeatures {
  readonly usernameAnonymity: boolean
}

/** The part of every nonce that says which features the server has. RFC 8489 §9.2. */
export function noncePrefix({ usernameAnonymity }: NonceFeatures): string {
  const bits = PASSWORD_ALGORITHMS_BIT | (usernameAnonymity ? USERNAME_ANONYMITY_BIT : 0)
  return COOKIE + Buffer.from([0, 0, bits]).toString('base64')
}

/** What nonces are made from: the same in every worker. */
export interface NonceKey {
  readonly key: Uint8Array
  readonly prefix: string
}

/**
 * Issues a nonce: the prefix, then the second of issue and a MAC over it and the client's transport
 * address, in base64. Nothing is remembered, so that strangers cost no memory. RFC 8489 §9.2, RFC
 * 8656 §21.1. `wallMs` is epoch ms.
 */
export function issueNonce(nonceKey: NonceKey, client: Endpoint, wallMs: number): string {
  const body = Buffer.alloc(TIME_BYTES + MAC_BYTES)
  body.writeUInt32BE(Math.floor(wallMs / 1000) % 2 ** 32)
  body.set(mac(nonceKey, client, body.subarray(0, TIME_BYTES)), TIME_BYTES)
  return nonceKey.prefix + body.toString('base64')
}

/** Whether the nonce is ours, was issued to this transport address, and has not expired. */
export function isFreshNonce(
  nonce: string,
  nonceKey: NonceKey,
  client: Endpoint,
  wallMs: number,
): boolean {
  const { prefix } = nonceKey
  if (!nonce.startsWith(prefix)) return false
  const text = nonce.slice(prefix.length)
  const body = Buffer.from(text, 'base64')
  // Other texts decode to the same bytes; only one of them is what we issued.
  if (body.length !== TIME_BYTES + MAC_BYTES || body.toString('base64') !== text) return false
  const time = body.subarray(0, TIME_BYTES)
  if (!timingSafeEqual(mac(nonceKey, client, time), body.subarray(TIME_BYTES))) return false
  const ageMs = wallMs - body.readUInt32BE(0) * 1000
  return ageMs < NONCE_LIFETIME_MS && ageMs >= -MAX_SKEW_MS
}

function mac({ key, prefix }: NonceKey, { host, port }: Endpoint, time: Uint8Array): Buffer {
  return hmac('sha256', key, time, Buffer.from(`${prefix} ${port} ${host}`)).subarray(0, MAC_BYTES)
}
