import type { IpAddress } from '../wire/index.ts'
import { wordAt } from '../wire/index.ts'

/** A power of two. More buckets let fewer strangers share a budget; each costs 12 bytes. */
const BUCKETS = 4096
const WINDOW_MS = 1_000

/**
 * Bounds replies per second to each address that has not shown who it is, so that forged sources
 * cannot turn the server against a third party. A fixed table: addresses that fall into one bucket
 * share its budget, IPv6 counts by /64.
 */
export class ReplyLimit {
  readonly #repliesPerSecond: number
  readonly #seed: number
  readonly #windows = new Float64Array(BUCKETS)
  readonly #counts = new Uint32Array(BUCKETS)

  /** `seed` keeps outsiders from knowing who shares a bucket. */
  constructor(repliesPerSecond: number, seed: number) {
    this.#repliesPerSecond = repliesPerSecond
    this.#seed = seed
  }

  /** Takes one reply from the address's budget; `false` when it is spent. */
  take(address: IpAddress, now: number): boolean {
    const bucket = this.#bucketOf(address)
    const window = Math.floor(now / WINDOW_MS)
    if (this.#windows[bucket] !== window) {
      this.#windows[bucket] = window
      this.#counts[bucket] = 0
    }
    const count = this.#counts[bucket] ?? 0
    if (count >= this.#repliesPerSecond) return false
    this.#counts[bucket] = count + 1
    return true
  }

  #bucketOf(address: IpAddress): number {
    const value =
      typeof address === 'number'
        ? address
        : Math.imul(wordAt(address, 0), 0x9e37_79b1) ^ wordAt(address, 4)
    let mixed = Math.imul(value ^ this.#seed, 0x85eb_ca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
    return (mixed ^ (mixed >>> 16)) & (BUCKETS - 1)
  }
}
