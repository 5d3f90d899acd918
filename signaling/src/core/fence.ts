/**
 * Guards what several could write: admits no token below the highest that it has seen for the key, so
 * that an owner which does not know yet that it has an heir changes nothing. Bounded: the keys that
 * were used least recently are forgotten first.
 */
export class Fence<Key> {
  readonly #highest = new Map<Key, number>()
  readonly #mostKeys: number

  constructor(mostKeys = 100_000) {
    this.#mostKeys = mostKeys
  }

  /** Whether the token is good for the key; a larger one shuts out all before it. */
  admits(key: Key, token: number): boolean {
    const highest = this.#highest.get(key) ?? 0
    if (token < highest) return false
    this.#highest.delete(key)
    this.#highest.set(key, token)
    for (const oldest of this.#highest.keys()) {
      if (this.#highest.size <= this.#mostKeys) break
      this.#highest.delete(oldest)
    }
    return true
  }
}
