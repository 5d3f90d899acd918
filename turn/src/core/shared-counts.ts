/**
 * Entries of each of the two rows, a power of two. More let fewer names share an entry; each costs 8
 * bytes, and 8 more in every worker.
 */
const ROW_ENTRIES = 8_192
const ROW_MASK = ROW_ENTRIES - 1
const ROW_BITS = 13

/** Bytes that a table of counts takes. */
export const COUNTS_BYTES = 2 * ROW_ENTRIES * Int32Array.BYTES_PER_ELEMENT

/**
 * Counts by name that several workers share without a lock, in a fixed table. A name has an entry in
 * each of two rows and counts as the lower of both, which never says too little; it says too much
 * only where others share both entries.
 *
 * `own` is the part that this worker has added, so that it can be taken back if the worker dies.
 */
export class SharedCounts {
  readonly #all: Int32Array
  readonly #own: Int32Array

  constructor(all: ArrayBufferLike, own: ArrayBufferLike) {
    this.#all = new Int32Array(all)
    this.#own = new Int32Array(own)
  }

  /** Adds one to a name; `false`, and nothing added, when it has `limit` already. */
  take(hash: number, limit: number): boolean {
    const first = hash & ROW_MASK
    const second = ROW_ENTRIES + ((hash >>> ROW_BITS) & ROW_MASK)
    const before = Math.min(Atomics.add(this.#all, first, 1), Atomics.add(this.#all, second, 1))
    if (before >= limit) {
      Atomics.sub(this.#all, first, 1)
      Atomics.sub(this.#all, second, 1)
      return false
    }
    this.#own[first] = (this.#own[first] ?? 0) + 1
    this.#own[second] = (this.#own[second] ?? 0) + 1
    return true
  }

  /** Takes back one {@link take} that succeeded. */
  release(hash: number): void {
    const first = hash & ROW_MASK
    const second = ROW_ENTRIES + ((hash >>> ROW_BITS) & ROW_MASK)
    Atomics.sub(this.#all, first, 1)
    Atomics.sub(this.#all, second, 1)
    this.#own[first] = (this.#own[first] ?? 0) - 1
    this.#own[second] = (this.#own[second] ?? 0) - 1
  }

  /** Takes back everything that this worker, which is no more, had added. */
  forget(): void {
    for (const [index, count] of this.#own.entries()) {
      if (count !== 0) Atomics.sub(this.#all, index, count)
    }
    this.#own.fill(0)
  }
}
