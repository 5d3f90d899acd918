import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fence } from './fence.ts'
import { LeaseBook } from './lease-book.ts'
import type { LeaseEntry, NodeId } from './lease-book.ts'

const NODES = ['a', 'b', 'c'] as unknown as readonly NodeId[]
const KEY = 'call:one'
const LIFE_MS = 100

/** What can happen, in any order, to nodes that want one lease and to the store that keeps it. */
type Happening =
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'beat' | 'claim' | 'release' | 'write'; readonly node: NodeId }
  /** A node that comes back after an outage. */
  | { readonly type: 'reassert'; readonly node: NodeId }
  /** The store cannot be reached by the node, until it can. */
  | { readonly type: 'partition'; readonly node: NodeId; readonly on: boolean }
  | { readonly type: 'storeLost' }

const node = fc.constantFrom(...NODES)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 150 }) }),
  fc.record({ type: fc.constantFrom('beat', 'claim', 'release', 'write', 'write'), node }),
  fc.record({ type: fc.constant('reassert' as const), node }),
  fc.record({ type: fc.constant('partition' as const), node, on: fc.boolean() }),
  fc.constant({ type: 'storeLost' as const }),
)

/** Nodes as they believe, a store as it is, and something shared that a fence guards. */
class World {
  now = 1_000_000
  book = new LeaseBook()
  readonly fence = new Fence<string>()
  readonly believed = new Map<NodeId, LeaseEntry>()
  readonly partitioned = new Set<NodeId>()
  /** Accepted writes, in order. */
  readonly writes: { readonly by: NodeId; readonly token: number }[] = []

  run(event: Happening): void {
    switch (event.type) {
      case 'wait':
        this.now += event.ms
        return
      case 'storeLost':
        this.now += 1
        this.book = new LeaseBook()
        return
      case 'partition':
        if (event.on) this.partitioned.add(event.node)
        else this.partitioned.delete(event.node)
        return
      case 'write': {
        const entry = this.believed.get(event.node)
        if (entry && this.fence.admits(KEY, entry.token)) {
          this.writes.push({ by: event.node, token: entry.token })
        }
        return
      }
      default:
        if (!this.partitioned.has(event.node)) this.#atStore(event.type, event.node)
    }
  }

  #atStore(type: 'beat' | 'claim' | 'release' | 'reassert', by: NodeId): void {
    const believed = this.believed.get(by)
    if (type === 'claim') {
      this.book.beat(by, this.now, LIFE_MS)
      const entry = this.book.claim(KEY, { holder: by, value: '' }, this.now)
      if (entry.holder === by) this.believed.set(by, entry)
      else this.believed.delete(by)
    } else if (type === 'beat') {
      this.book.beat(by, this.now, LIFE_MS)
    } else if (believed && type === 'release') {
      this.book.release(KEY, by, believed.token)
      this.believed.delete(by)
    } else if (believed) {
      this.book.beat(by, this.now, LIFE_MS)
      const entry = this.book.reassert(KEY, believed, this.now)
      if (entry) this.believed.set(by, entry)
      else this.believed.delete(by)
    }
  }
}

describe('the lease book', () => {
  test('whatever happens, only one owner acts at a time, and never again once it has an heir', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 120, size: 'max' }), (events) => {
        const world = new World()
        for (const event of events) world.run(event)
        const owners = new Map<number, NodeId>()
        let highest = 0
        for (const { by, token } of world.writes) {
          expect(token).toBeGreaterThanOrEqual(highest)
          expect(owners.get(token) ?? by).toBe(by)
          owners.set(token, by)
          highest = token
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('once all can reach the store again, one believes that it is the owner', () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 80, size: 'max' }), (events) => {
        const world = new World()
        for (const event of events) world.run(event)
        world.partitioned.clear()
        for (const type of ['reassert', 'claim'] as const) {
          for (const each of NODES) world.run({ type, node: each })
        }
        expect(world.believed.size).toBe(1)
        // What it writes is admitted: nobody has a larger token.
        const [owner] = world.believed.keys()
        const before = world.writes.length
        if (owner) world.run({ type: 'write', node: owner })
        expect(world.writes.length).toBe(before + 1)
      }),
      { numRuns: 1_000 },
    )
  })
})
