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

/**
 * Takes `cost` tokens if they are there; else none, and `waitMs` says when they will be. A clock that
 * steps back adds none.
 */
export function take(
  bucket: Bucket,
  limit: BucketLimit,
  { now, cost = 1 }: { readonly now: Millis; readonly cost?: number },
): { readonly bucket: Bucket; readonly waitMs: Millis | undefined } {
  const elapsedMs = Math.max(0, now - bucket.at)
  const tokens = Math.min(limit.burst, bucket.tokens + (elapsedMs / 1_000) * limit.perSecond)
  return tokens >= cost
    ? { bucket: { tokens: tokens - cost, at: now }, waitMs: undefined }
    : {
        bucket: { tokens, at: now },
        waitMs: Math.ceil(((cost - tokens) / limit.perSecond) * 1_000),
      }
}
