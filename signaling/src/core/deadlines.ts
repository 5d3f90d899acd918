import type { Millis } from '@parley/protocol'

/** When each of many things is next due. The hub keeps one timer, set from `next()`. */
export class Deadlines<Key> {
  readonly #due = new Map<Key, Millis>()

  /** `undefined` takes the key out. */
  set(key: Key, at: Millis | undefined): void {
    if (at === undefined) this.#due.delete(key)
    else this.#due.set(key, at)
  }

  next(): Millis | undefined {
    let earliest: Millis | undefined
    for (const at of this.#due.values()) {
      if (earliest === undefined || at < earliest) earliest = at
    }
    return earliest
  }

  /** Takes out all that is due. */
  takeDue(now: Millis): Key[] {
    const keys = [...this.#due].filter(([, at]) => at <= now).map(([key]) => key)
    for (const key of keys) this.#due.delete(key)
    return keys
  }
}
