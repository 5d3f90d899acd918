import type { DeviceId, Millis, MissedCall, UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'

/** A missed call before it has its place in the mailbox. */
export type NewMissedCall = Omit<MissedCall, 'seq'>

/**
 * Missed calls of users, until each of their devices has seen them or they are too old. What is older
 * than the store keeps, or more than `limits.missedCalls`, is forgotten.
 */
export interface Mailbox {
  put(user: UserId, missed: NewMissedCall): Promise<MissedCall>
  /** What this device has not acknowledged, oldest first. */
  unseen(user: UserId, device: DeviceId, now: Millis): Promise<readonly MissedCall[]>
  acknowledge(user: UserId, device: DeviceId, seq: number): Promise<void>
  /** Forgets everything about a user. */
  erase(user: UserId): Promise<void>
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
      return Promise.resolve(entry)
    },
    unseen(user, device, now) {
      const { missed, seen } = boxOf(user)
      const after = seen.get(device) ?? 0
      return Promise.resolve(missed.filter(({ seq, at }) => seq > after && at > now - keepMs))
    },
    acknowledge(user, device, seq) {
      const box = boxes.get(user)
      const last = box?.missed.at(-1)?.seq ?? 0
      if (!box || seq > last || seq <= (box.seen.get(device) ?? 0)) return Promise.resolve()
      const seen = new Map([...box.seen].filter(([other]) => other !== device))
      seen.set(device, seq)
      const [oldest] = seen.keys()
      if (seen.size > SEEN_DEVICES && oldest !== undefined) seen.delete(oldest)
      boxes.set(user, { ...box, seen })
      return Promise.resolve()
    },
    erase(user) {
      boxes.delete(user)
      return Promise.resolve()
    },
  }
}

/** Numbers rise by the clock, so that they still do after a store has forgotten the last one. */
function nextSeq(last: number, now: Millis): number {
  return Math.max(last + 1, Math.floor(now))
}
