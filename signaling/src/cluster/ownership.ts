import type { CallId, Millis } from '@parley/protocol'
import type { Log } from '@parley/service'
import type { NodeId } from '../core/lease-book.ts'
import type { Leases } from '../store/leases.ts'

/** How a claim of this node ended. */
export type Claimed = 'ours' | 'unavailable' | { readonly node: NodeId }

/**
 * How long after the store has come back nobody takes over what seems to be nobody's: so long do
 * others that live need at most to come back, too, and to say what is theirs.
 */
export const SETTLE_MS = 3_000

interface Holding {
  token: number
  /** The call that it stands for: its end gives the lease back. */
  readonly call: CallId | undefined
}

/** What ownership is made with. */
export interface OwnershipOptions {
  readonly leases: Leases
  readonly log: Log
  readonly now: () => Millis
  readonly settleMs?: number
}

/** The leases that this node holds, or believes to hold. */
export class Ownership {
  readonly #leases: Leases
  readonly #log: Log
  readonly #now: () => Millis
  readonly #settleMs: number
  readonly #held = new Map<string, Holding>()
  /** The keys of each call. */
  readonly #ofCall = new Map<CallId, Set<string>>()
  #settledAt: Millis = Infinity

  constructor({ leases, log, now, settleMs = SETTLE_MS }: OwnershipOptions) {
    this.#leases = leases
    this.#log = log
    this.#now = now
    this.#settleMs = settleMs
  }

  /** The store is back: what others hold will be known in a moment. */
  storeCame(): void {
    this.#settledAt = this.#now() + this.#settleMs
  }

  storeWent(): void {
    this.#settledAt = Infinity
  }

  get isSettled(): boolean {
    return this.#now() >= this.#settledAt
  }

  /** The fencing token of a lease; 0 while the store has not given one. */
  token(key: string): number {
    return this.#held.get(key)?.token ?? 0
  }

  /** Takes a lease of which nobody else can know yet, or waits for the store to settle. */
  async claim(key: string, call?: CallId, isNew = false): Promise<Claimed> {
    if (this.#held.has(key)) return 'ours'
    if (!isNew && !this.isSettled) {
      const known = await this.find(key)
      if (known) return known
      if (!(await this.#settle())) return 'unavailable'
    }
    const claimed = await this.#leases.claim(key, call ?? '')
    if (!claimed.ok) return 'unavailable'
    const { lease, ours } = claimed.data
    if (!ours) return { node: lease.holder }
    this.#hold(key, { token: lease.token, call })
    return 'ours'
  }

  /** Who has the lease; `undefined`: nobody. */
  async find(key: string): Promise<Claimed | undefined> {
    if (this.#held.has(key)) return 'ours'
    const found = await this.#leases.find(key)
    if (!found.ok) return 'unavailable'
    return found.data && { node: found.data.holder }
  }

  /** Holds a lease that the store could not give; it is asked for when the store is back. */
  assume(key: string, call: CallId): void {
    if (this.#held.has(key)) return
    this.#hold(key, { token: 0, call })
    void this.reassert([key])
  }

  release(key: string): void {
    const held = this.#held.get(key)
    if (!held) return
    this.#drop(key, held)
    if (held.token > 0) void this.#leases.release({ key, token: held.token })
  }

  /** Ties a held lease to a call, whose end gives it back. */
  tie(key: string, call: CallId): void {
    const held = this.#held.get(key)
    if (!held || held.call === call) return
    this.#drop(key, held)
    this.#hold(key, { ...held, call })
  }

  /** Gives back all leases of a call that begin with `prefix`. */
  releaseOf(call: CallId, prefix = ''): void {
    for (const key of [...(this.#ofCall.get(call) ?? [])]) {
      if (key.startsWith(prefix)) this.release(key)
    }
  }

  /** Writes down again what is held here. Gives the calls that have another owner now. */
  async reassert(keys: readonly string[] = [...this.#held.keys()]): Promise<readonly CallId[]> {
    const list = keys.flatMap((key) => {
      const held = this.#held.get(key)
      return held ? [{ key, token: held.token, value: held.call ?? '' }] : []
    })
    if (list.length === 0) return []
    const tokens = await this.#leases.reassert(list)
    if (!tokens.ok) return []
    const lost = new Set<CallId>()
    for (const [i, { key }] of list.entries()) {
      const held = this.#held.get(key)
      const token = tokens.data[i]
      if (!held) {
        // Given back while the store was asked.
        if (token !== undefined) void this.#leases.release({ key, token })
      } else if (token === undefined) {
        this.#drop(key, held)
        if (held.call !== undefined && !key.startsWith('pair:')) lost.add(held.call)
      } else held.token = token
    }
    if (lost.size > 0) this.#log.warn({ calls: lost.size }, 'calls have another owner now')
    return [...lost]
  }

  #hold(key: string, holding: Holding): void {
    this.#held.set(key, holding)
    const { call } = holding
    if (call !== undefined) this.#ofCall.set(call, (this.#ofCall.get(call) ?? new Set()).add(key))
  }

  #drop(key: string, { call }: Holding): void {
    this.#held.delete(key)
    if (call === undefined) return
    const keys = this.#ofCall.get(call)
    keys?.delete(key)
    if (keys?.size === 0) this.#ofCall.delete(call)
  }

  /** Waits until everybody who lives has had the time to say what is his. */
  async #settle(): Promise<boolean> {
    // A timer may fire a little before the clock says so.
    while (!this.isSettled) {
      const restMs = this.#settledAt - this.#now()
      if (restMs > this.#settleMs) return false
      await new Promise<void>((resolve) => setTimeout(resolve, restMs))
    }
    return true
  }
}
