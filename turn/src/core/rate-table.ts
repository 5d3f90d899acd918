/** A power of two. More buckets let fewer names share a budget; each costs 8 bytes. */
const BUCKETS = 4_096
const BUCKET_BITS = 12
const WINDOW_MS = 1_000

/** Bytes that a table takes: a window and a sum for each bucket of two rows. */
export const RATE_TABLE_BYTES = 4 * BUCKETS * Int32Array.BYTES_PER_ELEMENT

/**
 * Units per second for each name, in a fixed table that several workers share. A name has a bucket in
 * each of two rows and is out of budget when both are, so that hardly anybody pays for another. Whole
 * seconds are counted, so a name may spend twice its budget around the turn of a second.
 */
export class RateTable {
  readonly #windows: Int32Array
  readonly #sums: Int32Array
  readonly #unitsPerSecond: number

  constructor(buffer: ArrayBufferLike, unitsPerSecond: number) {
    this.#windows = new Int32Array(buffer, 0, 2 * BUCKETS)
    this.#sums = new Int32Array(buffer, RATE_TABLE_BYTES / 2, 2 * BUCKETS)
    this.#unitsPerSecond = unitsPerSecond
  }

  /** Takes units from a name's budget; `false` when it is spent. `now` is one clock for all workers. */
  take(hash: number, units: number, now: number): boolean {
    const window = Math.floor(now / WINDOW_MS) | 0
    const first = this.#add(hash & (BUCKETS - 1), units, window)
    const second = this.#add(BUCKETS + ((hash >>> BUCKET_BITS) & (BUCKETS - 1)), units, window)
    return first || second
  }

  #add(bucket: number, units: number, window: number): boolean {
    if (Atomics.load(this.#windows, bucket) !== window) {
      // Two workers that open a window together may lose a few units: the bound stays a bound.
      Atomics.store(this.#windows, bucket, window)
      Atomics.store(this.#sums, bucket, 0)
    }
    const before = Atomics.load(this.#sums, bucket)
    // What is over budget is not counted, so sums cannot overflow.
    if (before + units > this.#unitsPerSecond) return false
    Atomics.add(this.#sums, bucket, units)
    return true
  }
}
