import type { Millis } from '@parley/protocol'

/** A token bucket: `burst` at once, then `perSecond`. */
export interface Bucket {
  readonly tokens: number
  readonly at: Millis
}

export interface BucketLimit {
  readonly burst: number
  readonly perSecond: number
}

export function fullBucket({ burst }: BucketLimit, now: Millis): Bucket {
  return { tokens: burst, at: now }
}

/** Takes one token if there is one. A clock that steps back adds none. */
export function take(
  bucket: Bucket,
  limit: BucketLimit,
  now: Millis,
): { readonly admitted: boolean; readonly bucket: Bucket } {
  const elapsedMs = Math.max(0, now - bucket.at)
  const tokens = Math.min(limit.burst, bucket.tokens + (elapsedMs / 1_000) * limit.perSecond)
  return tokens >= 1
    ? { admitted: true, bucket: { tokens: tokens - 1, at: now } }
    : { admitted: false, bucket: { tokens, at: now } }
}
