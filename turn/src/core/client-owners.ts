/** A power of two. More keep more clients of a dead worker's neighbours; each costs 8 bytes. */
const SLOTS = 65_536
/** Slots that a client may use, beginning at the one of its hash. */
const PROBES = 8

/** Bytes that the table takes: a hash and an owner for each slot. */
export const CLIENT_OWNERS_BYTES = 2 * SLOTS * Int32Array.BYTES_PER_ELEMENT

/**
 * Which worker has the allocation of a datagram client, in memory that all share. The system deals
 * clients anew when a socket leaves or joins a shared port; by this table a worker knows whose the
 * datagrams are that come to it by mistake. A full neighbourhood forgets: the client then gets 437.
 */
export class ClientOwners {
  readonly #hashes: Int32Array
  readonly #owners: Int32Array
  /** Our number in the table. */
  readonly #me: number

  constructor(buffer: ArrayBufferLike, worker: number) {
    this.#hashes = new Int32Array(buffer, 0, SLOTS)
    this.#owners = new Int32Array(buffer, CLIENT_OWNERS_BYTES / 2, SLOTS)
    this.#me = worker + 1
  }

  /** Notes that the client is ours. */
  claim(hash: number): void {
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & (SLOTS - 1)
      if (Atomics.compareExchange(this.#owners, slot, 0, this.#me) !== 0) continue
      Atomics.store(this.#hashes, slot, hash | 0)
      return
    }
  }

  /** Forgets a client of ours. */
  release(hash: number): void {
    const slot = this.#find(hash)
    if (slot !== undefined) Atomics.compareExchange(this.#owners, slot, this.#me, 0)
  }

  /** The other worker that has the client; `undefined` when none has. */
  otherOwner(hash: number): number | undefined {
    const slot = this.#find(hash)
    const owner = slot === undefined ? 0 : Atomics.load(this.#owners, slot)
    return owner === 0 || owner === this.#me ? undefined : owner - 1
  }

  /** Forgets every client of this worker, which is no more. */
  forget(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      Atomics.compareExchange(this.#owners, slot, this.#me, 0)
    }
  }

  #find(hash: number): number | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & (SLOTS - 1)
      const isLive = Atomics.load(this.#owners, slot) !== 0
      if (isLive && Atomics.load(this.#hashes, slot) === (hash | 0)) return slot
    }
    return undefined
  }
}
