/** Tasks that may wait for one key; more mean that whoever serves it hangs. */
const WAITING_AT_MOST = 1_000

/** Runs tasks of the same key one after the other, those of different keys side by side. */
export class Turnstile<Key> {
  readonly #queues = new Map<Key, { last: Promise<unknown>; waiting: number }>()

  /** Runs `task` in its turn; undefined when too many wait already. Rejects as the task does. */
  take<T>(key: Key, task: () => Promise<T>): Promise<T | undefined> {
    const queue = this.#queues.get(key) ?? { last: Promise.resolve(), waiting: 0 }
    if (queue.waiting >= WAITING_AT_MOST) return Promise.resolve(undefined)
    this.#queues.set(key, queue)
    queue.waiting += 1
    const run = queue.last.then(task)
    queue.last = run.then(noop, noop).then(() => {
      queue.waiting -= 1
      if (queue.waiting === 0) this.#queues.delete(key)
    })
    return run
  }
}

function noop(): void {
  // The caller of `take` sees the outcome; the next in the queue does not care.
}
