import type { Millis } from '@parley/protocol'
import { fullBucket, take } from './admission.ts'
import type { Bucket, BucketLimit } from './admission.ts'

/**
 * A token bucket for each of many keys. Bounded: the key that was seen longest ago goes first, and one
 * that has been let go begins with a full bucket again.
 */
export class BucketTable<Key> {
  readonly #limit: BucketLimit
  readonly #most: number
  readonly #buckets = new Map<Key, Bucket>()

  constructor(limit: BucketLimit, most: number) {
    this.#limit = limit
    this.#most = most
  }

  /** Takes `cost` tokens if they are there; else says in how many milliseconds they will be. */
  take(key: Key, now: Millis, cost = 1): Millis | undefined {
    const known = this.#buckets.get(key) ?? fullBucket(this.#limit, now)
    const { bucket, waitMs } = take(known, this.#limit, { now, cost })
    // Insertion order is the order of last use.
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#most) this.#forgetOldest()
    return waitMs
  }

  delete(key: Key): void {
    this.#buckets.delete(key)
  }

  get size(): number {
    return this.#buckets.size
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key)
      return
    }
  }
}
