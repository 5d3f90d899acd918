import type { Millis } from '@parley/protocol'
import { fullBucket, take } from './admission.ts'
import type { Bucket, BucketLimit } from './admission.ts'

/** Nobody is told to come back later than this: the sooner half of a crowd must not starve the rest. */
export const LONGEST_WAIT_MS = 30_000

/** The door's state: what it lets in now, and up to when the places after that are given away. */
export interface Gate {
  readonly bucket: Bucket
  readonly bookedUntil: Millis
}

export function openGate(limit: BucketLimit, now: Millis): Gate {
  return { bucket: fullBucket(limit, now), bookedUntil: now }
}

/**
 * Somebody knocks: he is let in, or told when to come back. Each who is refused is given a place of his
 * own, so that a crowd comes back at the rate that the door takes, not all at once.
 */
export function knock(
  { bucket, bookedUntil }: Gate,
  limit: BucketLimit,
  now: Millis,
): { readonly gate: Gate; readonly waitMs: Millis | undefined } {
  const taken = take(bucket, limit, { now })
  if (taken.waitMs === undefined) {
    return { gate: { bucket: taken.bucket, bookedUntil }, waitMs: undefined }
  }
  const soonest = Math.max(bookedUntil, now + taken.waitMs)
  const place = Math.min(soonest, now + LONGEST_WAIT_MS)
  return {
    gate: { bucket: taken.bucket, bookedUntil: place + 1_000 / limit.perSecond },
    waitMs: Math.ceil(place - now),
  }
}
