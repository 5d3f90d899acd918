import { ok } from '@parley/protocol'
import type { Millis } from '@parley/protocol'
import type { LeaseBook, NodeId } from '../core/lease-book.ts'
import type { Held, Leases } from './leases.ts'

/** What memory leases are made with. One book may serve several nodes of one process. */
export interface MemoryLeasesOptions {
  readonly node: NodeId
  readonly book: LeaseBook
  readonly now: () => Millis
  readonly lifeMs?: number
}

/** Leases of a process that is alone: always granted, and never lost. */
export class MemoryLeases implements Leases {
  readonly #options: MemoryLeasesOptions

  constructor(options: MemoryLeasesOptions) {
    this.#options = options
  }

  beat() {
    const { node, book, now, lifeMs } = this.#options
    book.beat(node, now(), lifeMs)
    return Promise.resolve(ok(undefined))
  }

  claim(key: string, value: string) {
    const { node, book, now, lifeMs } = this.#options
    book.beat(node, now(), lifeMs)
    const lease = book.claim(key, { holder: node, value }, now())
    return Promise.resolve(ok({ lease, ours: lease.holder === node }))
  }

  find(key: string) {
    const { book, now } = this.#options
    return Promise.resolve(ok(book.find(key, now())))
  }

  release({ key, token }: Pick<Held, 'key' | 'token'>) {
    const { node, book } = this.#options
    book.release(key, node, token)
    return Promise.resolve(ok(undefined))
  }

  reassert(held: readonly Held[]) {
    const { node: holder, book, now, lifeMs } = this.#options
    book.beat(holder, now(), lifeMs)
    const tokens = held.map(
      ({ key, token, value }) => book.reassert(key, { holder, token, value }, now())?.token,
    )
    return Promise.resolve(ok(tokens))
  }

  peers() {
    const { node, book, now } = this.#options
    return Promise.resolve(ok(book.alive(now()).filter((other) => other !== node)))
  }

  resign() {
    this.#options.book.resign(this.#options.node)
    return Promise.resolve(ok(undefined))
  }
}
