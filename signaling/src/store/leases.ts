import type { Result } from '@parley/protocol'
import type { NodeId } from '../core/lease-book.ts'

/** Who holds a lease. */
export interface Lease {
  readonly holder: NodeId
  /**
   * Grows with each new holder of the key. Who guards something shared refuses a token below the
   * highest that it has seen, and with it a holder that does not know yet that it is one no longer.
   */
  readonly token: number
  /** What the holder wrote beside it, as the call that a room's lease stands for. */
  readonly value: string
}

/** What a claim came to: the lease as it is now, and whether it is the claimer's. */
export interface Claim {
  readonly lease: Lease
  readonly ours: boolean
}

/** One lease that a node believes to hold. */
export interface Held {
  readonly key: string
  readonly token: number
  readonly value: string
}

/**
 * Leases of this process among others. A lease lasts as long as its holder is alive, which the
 * holder shows by `beat`: so a thousand calls cost no more than one.
 */
export interface Leases {
  /** Shows that this node lives, for the next `LIFE_MS`. */
  beat(): Promise<Result<void>>
  /** Takes the lease if nobody alive has it; one that is ours already stays as it is. */
  claim(key: string, value: string): Promise<Result<Claim>>
  /** The lease, if somebody alive has it. */
  find(key: string): Promise<Result<Lease | undefined>>
  /** Gives a lease back; nothing if it is somebody else's by now. */
  release(held: Pick<Held, 'key' | 'token'>): Promise<Result<void>>
  /**
   * Writes down again what this node believes to hold, after an outage in which the store may have
   * lost everything. Gives for each the token that it has now; none where it has an heir meanwhile.
   */
  reassert(held: readonly Held[]): Promise<Result<readonly (number | undefined)[]>>
  /** The other nodes that live. */
  peers(): Promise<Result<readonly NodeId[]>>
  /** Ends this node's life at once, so that others need not wait for it to be missed. */
  resign(): Promise<Result<void>>
}
