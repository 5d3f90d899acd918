import { packed, sha256, utf8 } from '../octets.ts'
import type { Octets } from '../octets.ts'

/** Digits of the code of a call, which changes with everybody who comes or goes. */
const CALL_GROUPS = 6
/** Digits of the number of two people, which stays. */
const PAIR_GROUPS = 9
const GROUP_DIGITS = 5
/** Bytes behind each group: 2^40 is so much more than 10^5 that no digit is favoured. */
const GROUP_BYTES = 5

/**
 * Work for each guess of somebody who looks for a key with a number like another one's. At 149 bits
 * he would not find one anyway; it costs us a tenth of a second, once for each person.
 */
const PAIR_ITERATIONS = 100_000

/** 30 digits from the group's secret: equal for all members, and for nobody in between. */
export function callCode(authenticator: Uint8Array): string {
  return digits(authenticator, CALL_GROUPS)
}

/** 30 digits of a device's key: what its person compares between two devices of his. */
export async function deviceCode(user: string, key: Uint8Array): Promise<string> {
  return digits(await sha256(packed(utf8('parley-device-code-1'), utf8(user), key)), CALL_GROUPS)
}

/** 45 digits from the keys of two people, equal on both sides; the order does not matter. */
export async function safetyNumber(
  one: { readonly user: string; readonly key: Uint8Array },
  other: { readonly user: string; readonly key: Uint8Array },
): Promise<string> {
  const sides = [one, other].map(({ user, key }) => packed(utf8(user), key)).sort(byBytes)
  const secret = await crypto.subtle.importKey('raw', packed(...sides), 'PBKDF2', false, [
    'deriveBits',
  ])
  const bits = await crypto.subtle.deriveBits(
    {
      name: 'PBKDF2',
      hash: 'SHA-512',
      salt: utf8('parley-safety-number-1'),
      iterations: PAIR_ITERATIONS,
    },
    secret,
    PAIR_GROUPS * GROUP_BYTES * 8,
  )
  return digits(new Uint8Array(bits), PAIR_GROUPS)
}

/** Groups of five digits with spaces between, as people read them aloud. */
function digits(bytes: Uint8Array, groups: number): string {
  return Array.from({ length: groups }, (_, group) => {
    const part = bytes.slice(group * GROUP_BYTES, (group + 1) * GROUP_BYTES)
    const value = part.reduce((sum, byte) => (sum * 256 + byte) % 10 ** GROUP_DIGITS, 0)
    return String(value).padStart(GROUP_DIGITS, '0')
  }).join(' ')
}

function byBytes(a: Octets, b: Octets): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
