import { toText } from '../octets.ts'
import type { Octets } from '../octets.ts'
import type { DeviceList } from './device-list.ts'

/**
 * How well a device's identity is known: compared by its people, seen before, never seen, or not what
 * it was.
 */
export type TrustState = 'verified' | 'pinned' | 'new' | 'changed'

/**
 * Why a state is `changed`. `other-key`: nothing vouches for the device. `unapproved-device`: the user
 * has a list, and it is not in there. `revoked-device`: it was taken out of there.
 */
export type ChangeReason =
  | 'other-key'
  | 'unapproved-device'
  | 'revoked-device'
  | 'list-forged'
  | 'list-forked'
  | 'list-rolled-back'

/** What this device has seen of another user. */
export interface Pin {
  /** Keys of his devices, in base64url. */
  readonly keys: readonly string[]
  /** Hashes of the list that these are from; none while no list was trusted. */
  readonly heads: readonly string[]
  /** Those of `keys` that are his by what was seen or accepted, not by his list. */
  readonly unlisted?: readonly string[]
  /** The root whose safety number was compared; another root has another number. */
  readonly verified?: string
}

/** What to think of a device, and what to remember of its user if he is taken for who he says. */
export interface Judgement {
  readonly state: TrustState
  readonly reason?: ChangeReason
  /** The key that stands for the user, which his safety number is made from. */
  readonly root: string
  readonly pin: Pin
}

/** Devices beside the list that are remembered of one user. */
const MOST_UNLISTED = 16

/**
 * Judges a device by what was seen of its user before. On the first meeting everything is new, and
 * kept. Later, a device must be one that was seen, or be signed into the user's list by one. A list
 * that no seen device has begun proves nothing: the server can write one around any key.
 */
export function judge(
  pin: Pin | undefined,
  list: DeviceList | 'empty' | 'forged',
  deviceKey: Octets,
): Judgement {
  const key = toText(deviceKey)
  const listed = typeof list !== 'string' && list.keys.has(key) ? list : undefined
  const root = listed ? toText(listed.root) : key
  const verified = pin?.verified === undefined ? {} : { verified: pin.verified }
  const seen: Pin = listed
    ? { keys: [...listed.keys], heads: listed.heads, ...verified }
    : { keys: [key], heads: [], unlisted: [key], ...verified }
  const changed = (reason: ChangeReason, kept = seen): Judgement => {
    return { state: 'changed', reason, root, pin: kept }
  }
  const known = (kept: Pin): Judgement => {
    return { state: kept.verified === root ? 'verified' : 'pinned', root, pin: kept }
  }
  if (list === 'forged') return changed('list-forged')
  const isRevoked = list !== 'empty' && list.removed.has(key)
  if (!pin) return isRevoked ? changed('revoked-device') : { state: 'new', root, pin: seen }
  const isSeen = pin.keys.includes(key)
  // A server without memory; what was seen still stands.
  if (list === 'empty') return isSeen ? known(pin) : changed('other-key', beside(pin, key))
  // No list is trusted yet, and this one was not begun by whom we know.
  const isBegun = pin.heads.length > 0 || (listed && pin.keys.includes(root))
  if (!isBegun) return isSeen ? known(pin) : changed('other-key')
  if (!pin.heads.every((head, index) => list.heads[index] === head)) {
    const isPrefix = list.heads.every((head, index) => pin.heads[index] === head)
    return changed(isPrefix ? 'list-rolled-back' : 'list-forked')
  }
  const isListed = (one: string) => list.keys.has(one) || list.removed.has(one)
  const unlisted = (pin.unlisted ?? []).filter((one) => !isListed(one))
  const grown = { keys: [...list.keys, ...unlisted], heads: list.heads, unlisted, ...verified }
  if (listed !== undefined || unlisted.includes(key)) return known(grown)
  return changed(isRevoked ? 'revoked-device' : 'unapproved-device', beside(grown, key))
}

/** The pin with one more device, for which only the person vouches. */
function beside(pin: Pin, key: string): Pin {
  const unlisted = [...(pin.unlisted ?? []), key].slice(-MOST_UNLISTED)
  return { ...pin, keys: [...new Set([...pin.keys, key])], unlisted }
}
