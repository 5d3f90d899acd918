import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Endpoint } from '../wire/index.ts'

/**
 * How long a nonce is good. Longer saves a round trip per refresh; shorter shrinks the time in which
 * a sniffed request can be replayed from the same address.
 */
export const NONCE_LIFETIME_MS = 600_000

/** How far ahead of our clock a nonce may be: another worker or node of a fleet issued it. */
const MAX_SKEW_MS = 5_000

const TIME_DIGITS = 8
const MAC_DIGITS = 16

/**
 * Issues a nonce: the second of issue and a MAC over it and the client's transport address, in hex.
 * Nothing is remembered, so that strangers cost no memory. RFC 8489 §9.2, RFC 8656 §21.1.
 * `wallMs` is epoch ms.
 */
export function issueNonce(key: Uint8Array, client: Endpoint, wallMs: number): string {
  const time = Math.floor(wallMs / 1000)
    .toString(16)
    .padStart(TIME_DIGITS, '0')
  return time + mac(key, client, time)
}

/** Whether the nonce is ours, was issued to this transport address, and has not expired. */
export function isFreshNonce(
  nonce: string,
  key: Uint8Array,
  client: Endpoint,
  wallMs: number,
): boolean {
  if (!/^[0-9a-f]{24}$/.test(nonce)) return false
  const time = nonce.slice(0, TIME_DIGITS)
  const expected = Buffer.from(mac(key, client, time))
  if (!timingSafeEqual(expected, Buffer.from(nonce.slice(TIME_DIGITS)))) return false
  const ageMs = wallMs - Number.parseInt(time, 16) * 1000
  return ageMs < NONCE_LIFETIME_MS && ageMs >= -MAX_SKEW_MS
}

function mac(key: Uint8Array, { host, port }: Endpoint, time: string): string {
  return createHmac('sha256', key)
    .update(`${time} ${port} ${host}`)
    .digest('hex')
    .slice(0, MAC_DIGITS)
}
