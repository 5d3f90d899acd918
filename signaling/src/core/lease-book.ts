import type { Millis } from '@parley/protocol'

/** One signaling process; a new one each time that it starts. */
export type NodeId = string & { readonly __brand: 'NodeId' }

/**
 * How long a node counts as alive after its last beat. Longer rides over longer pauses, shorter takes
 * over sooner.
 */
export const LIFE_MS = 4_000

/** More than can be given in a millisecond, so that tokens never run ahead of the time. */
const TOKENS_PER_MS = 1_000

/** What is written about one key; it stays when its holder dies. */
export interface LeaseEntry {
  readonly holder: NodeId
  readonly token: number
  readonly value: string
}

/**
 * The rules of leases, as both stores keep them: a lease lasts while its holder lives; a new holder
 * gets a larger token than every one before it, even if the book was lost in between, because tokens
 * are never below the time in microseconds.
 */
export class LeaseBook {
  readonly #aliveUntil = new Map<NodeId, Millis>()
  readonly #entries = new Map<string, LeaseEntry>()
  #lastToken = 0

  beat(node: NodeId, now: Millis, lifeMs = LIFE_MS): void {
    this.#aliveUntil.set(node, now + lifeMs)
  }

  resign(node: NodeId): void {
    this.#aliveUntil.delete(node)
  }

  isAlive(node: NodeId, now: Millis): boolean {
    return (this.#aliveUntil.get(node) ?? 0) > now
  }

  alive(now: Millis): readonly NodeId[] {
    return [...this.#aliveUntil.keys()].filter((node) => this.isAlive(node, now))
  }

  /** The entry of the key after the claim; the claimer's if it has the lease now. */
  claim(
    key: string,
    { holder, value }: Pick<LeaseEntry, 'holder' | 'value'>,
    now: Millis,
  ): LeaseEntry {
    const known = this.#entries.get(key)
    if (known && (known.holder === holder || this.isAlive(known.holder, now))) return known
    return this.#grant(key, { holder, value }, now)
  }

  find(key: string, now: Millis): LeaseEntry | undefined {
    const known = this.#entries.get(key)
    return known && this.isAlive(known.holder, now) ? known : undefined
  }

  release(key: string, holder: NodeId, token: number): void {
    const known = this.#entries.get(key)
    if (known?.holder === holder && known.token === token) this.#entries.delete(key)
  }

  /** The lease of a holder that comes back: `undefined` if it has got an heir meanwhile. */
  reassert(key: string, entry: LeaseEntry, now: Millis): LeaseEntry | undefined {
    const known = this.#entries.get(key)
    if (known?.holder === entry.holder && known.token === entry.token) return known
    if (known && known.token >= entry.token) return undefined
    return this.#grant(key, entry, now)
  }

  #grant(key: string, { holder, value }: Omit<LeaseEntry, 'token'>, now: Millis): LeaseEntry {
    this.#lastToken = Math.max(now * TOKENS_PER_MS, this.#lastToken + 1)
    const entry = { holder, value, token: this.#lastToken }
    this.#entries.set(key, entry)
    return entry
  }
}
