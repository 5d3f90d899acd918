import { toText } from '../octets.ts'
import type { Octets } from '../octets.ts'
import type { DeviceList } from './device-list.ts'

/**
 * How well a device's identity is known: compared by its people, seen before, never seen, or not what
 * it was.
 */
export type TrustState = 'verified' | 'pinned' | 'new' | 'changed'

/** Why a state is `changed`. */
export type ChangeReason = 'other-key' | 'list-forged' | 'list-forked' | 'list-rolled-back'

/** What this device has seen of another user. */
export interface Pin {
  /** Keys of his devices, in base64url. */
  readonly keys: readonly string[]
  readonly heads: readonly string[]
  /** The key that his safety number is made from. */
  readonly root: string
  /** His safety number was compared. */
  readonly verified: boolean
}

/** What to think of a device, and what to remember of its user. */
export interface Judgement {
  readonly state: TrustState
  readonly reason?: ChangeReason
  readonly pin: Pin
}

/**
 * Judges a device by what was seen of its user before. On the first meeting everything is new, and
 * kept. Later, a device must be one that was seen, or be signed into the user's list by one.
 */
export function judge(
  pin: Pin | undefined,
  list: DeviceList | 'empty' | 'forged',
  deviceKey: Octets,
): Judgement {
  const key = toText(deviceKey)
  const seen = pinFrom(list, key)
  if (list === 'forged') return { state: 'changed', reason: 'list-forged', pin: pin ?? seen }
  if (!pin) return { state: 'new', pin: seen }
  if (list === 'empty') {
    // A server without memory; what was seen still stands.
    const isKnown = pin.keys.includes(key)
    return isKnown ? known(pin) : { state: 'changed', reason: 'other-key', pin: seen }
  }
  const shared = pin.heads.every((head, index) => list.heads[index] === head)
  if (!shared) {
    const isPrefix = list.heads.every((head, index) => pin.heads[index] === head)
    const reason = isPrefix ? 'list-rolled-back' : 'list-forked'
    return { state: 'changed', reason, pin: seen }
  }
  if (!list.keys.has(key)) {
    // Seen before there was a list, or taken out of it, or never in it.
    const isKnown = pin.heads.length === 0 && pin.keys.includes(key)
    return isKnown ? known(pin) : { state: 'changed', reason: 'other-key', pin: seen }
  }
  // A first list must hold what was seen without one.
  const begunBySeen = pin.heads.length > 0 || pin.keys.some((one) => list.keys.has(one))
  if (!begunBySeen) return { state: 'changed', reason: 'other-key', pin: seen }
  return known({ ...seen, verified: pin.verified })
}

function known(pin: Pin): Judgement {
  return { state: pin.verified ? 'verified' : 'pinned', pin }
}

function pinFrom(list: DeviceList | 'empty' | 'forged', key: string): Pin {
  if (typeof list === 'string' || !list.keys.has(key)) {
    const heads = typeof list === 'string' ? [] : list.heads
    return { keys: [key], heads, root: key, verified: false }
  }
  return { keys: [...list.keys], heads: list.heads, root: toText(list.root), verified: false }
}
