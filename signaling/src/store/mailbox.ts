import type { DeviceId, Millis, MissedCall, Result, UserId } from '@parley/protocol'
import { limits, ok } from '@parley/protocol'
import { done } from './outcome.ts'

/** A missed call before it has its place in the mailbox. */
export type NewMissedCall = Omit<MissedCall, 'seq'>

/**
 * Missed calls of users, until each of their devices has seen them or they are too old. What is older
 * than the store keeps, or more than `limits.missedCalls`, is forgotten. `store-unavailable` while the
 * store is away; nothing rejects.
 */
export interface Mailbox {
  /** The same one put again, as after an answer that was lost, stays where it is. */
  put(user: UserId, missed: NewMissedCall): Promise<Result<MissedCall>>
  /** What this device has not acknowledged, oldest first. */
  unseen(user: UserId, device: DeviceId, now: Millis): Promise<Result<readonly MissedCall[]>>
  acknowledge(user: UserId, device: DeviceId, seq: number): Promise<Result<void>>
  /** Forgets everything about a user. */
  erase(user: UserId): Promise<Result<void>>
}

interface Box {
  readonly missed: readonly MissedCall[]
  readonly seen: ReadonlyMap<DeviceId, number>
}

/** Devices of a user whose place is remembered; one that is forgotten is told everything again. */
export const SEEN_DEVICES = 64

/** Mailboxes in this process, gone with it. */
export function memoryMailbox(keepMs: Millis): Mailbox {
  const boxes = new Map<UserId, Box>()
  const boxOf = (user: UserId): Box => boxes.get(user) ?? { missed: [], seen: new Map() }
  return {
    put(user, missed) {
      const box = boxOf(user)
      const known = box.missed.find((one) => isSame(one, missed))
      if (known) return Promise.resolve(ok(known))
      const seq = nextSeq(box.missed.at(-1)?.seq ?? Math.max(0, ...box.seen.values()), missed.at)
      const entry = { ...missed, seq }
      const fresh = box.missed.filter(({ at }) => at > missed.at - keepMs)
      // Last put is last in the map, so the first ones are the least used.
      boxes.delete(user)
      boxes.set(user, { ...box, missed: [...fresh, entry].slice(-limits.missedCalls) })
      for (const [stale, { missed: all }] of boxes) {
        if ((all.at(-1)?.at ?? 0) > missed.at - keepMs) break
        boxes.delete(stale)
      }
      return Promise.resolve(ok(entry))
    },
    unseen(user, device, now) {
      const { missed, seen } = boxOf(user)
      const after = seen.get(device) ?? 0
      const unseen = missed.filter(({ seq, at }) => seq > after && at > now - keepMs)
      return Promise.resolve(ok(unseen))
    },
    acknowledge(user, device, seq) {
      const box = boxes.get(user)
      const last = box?.missed.at(-1)?.seq ?? 0
      if (!box || seq > last || seq <= (box.seen.get(device) ?? 0)) return done()
      const seen = new Map([...box.seen].filter(([other]) => other !== device))
      seen.set(device, seq)
      const [oldest] = seen.keys()
      if (seen.size > SEEN_DEVICES && oldest !== undefined) seen.delete(oldest)
      boxes.set(user, { ...box, seen })
      return done()
    },
    erase(user) {
      boxes.delete(user)
      return done()
    },
  }
}

function isSame(one: NewMissedCall, other: NewMissedCall): boolean {
  return one.call === other.call && one.at === other.at && one.reason === other.reason
}

/** Numbers rise by the clock, so that they still do after a store has forgotten the last one. */
function nextSeq(last: number, now: Millis): number {
  return Math.max(last + 1, Math.floor(now))
}
