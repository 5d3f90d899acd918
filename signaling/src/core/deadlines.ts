import type { Millis } from '@parley/protocol'

interface Due<Key> {
  readonly key: Key
  readonly at: Millis
}

/**
 * When each of many things is next due. The hub keeps one timer, set from `next()`. A binary heap, as
 * the hub asks after every message and thousands of sessions have a deadline each; entries that were
 * moved or taken out stay in it until they come up, or until they are the larger part.
 */
export class Deadlines<Key> {
  readonly #due = new Map<Key, Due<Key>>()
  #heap: Due<Key>[] = []

  /** `undefined` takes the key out. */
  set(key: Key, at: Millis | undefined): void {
    if (at === undefined) {
      this.#due.delete(key)
    } else {
      const due = { key, at }
      this.#due.set(key, due)
      this.#push(due)
    }
    if (this.#heap.length > 2 * this.#due.size + 64) this.#rebuild()
  }

  next(): Millis | undefined {
    return this.#first()?.at
  }

  /** Takes out all that is due, the earliest first. */
  takeDue(now: Millis): Key[] {
    const keys: Key[] = []
    for (let first = this.#first(); first && first.at <= now; first = this.#first()) {
      this.#due.delete(first.key)
      keys.push(first.key)
    }
    return keys
  }

  /** The earliest entry that still counts. */
  #first(): Due<Key> | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (this.#due.get(top.key) === top) return top
      this.#pop()
    }
    return undefined
  }

  #push(due: Due<Key>): void {
    const heap = this.#heap
    let index = heap.push(due) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (!parent || parent.at <= due.at) break
      heap[index] = parent
      index = above
    }
    heap[index] = due
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last && this.#heap.length > 0) this.#sink(last)
  }

  /** Puts an entry at the top, and lets it sink to where it belongs. */
  #sink(due: Due<Key>): void {
    const heap = this.#heap
    let index = 0
    for (;;) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      const [child, at] =
        right && left && right.at < left.at ? [right, 2 * index + 2] : [left, 2 * index + 1]
      if (!child || child.at >= due.at) break
      heap[index] = child
      index = at
    }
    heap[index] = due
  }

  #rebuild(): void {
    this.#heap = []
    for (const due of this.#due.values()) this.#push(due)
  }
}
