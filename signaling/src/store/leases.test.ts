import { createLog } from '@parley/service'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { LeaseBook } from '../core/lease-book.ts'
import type { NodeId } from '../core/lease-book.ts'
import { RedisConnection } from '../redis/connection.ts'
import { TestRedis } from '../redis/testing.ts'
import type { Leases } from './leases.ts'
import { MemoryLeases } from './memory-leases.ts'
import { RedisLeases } from './redis-leases.ts'

/** Long enough not to end by itself during a test; a death is a resignation. */
const LIFE_MS = 60_000

interface Shelf {
  open(node: string, lifeMs?: number): Leases
  /** Loses all that was written. */
  lose(): Promise<void>
  close(): Promise<void>
}

function memoryShelf(): Shelf {
  let book = new LeaseBook()
  // Each look at it is later than the one before, as it is with a store at the end of a wire.
  let time = 0
  const now = () => (time = Math.max(Date.now(), time + 1))
  const proxy = new Proxy(book, { get: (_, name) => bound(book, name) })
  return {
    open: (node, lifeMs = LIFE_MS) =>
      new MemoryLeases({ node: node as NodeId, book: proxy, now, lifeMs }),
    lose: () => {
      book = new LeaseBook()
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
}

/** Methods of the book that is current, for nodes that opened an earlier one. */
function bound(book: LeaseBook, name: string | symbol): unknown {
  const member: unknown = Reflect.get(book, name, book)
  return typeof member === 'function' ? (member.bind(book) as unknown) : member
}

async function redisShelf(): Promise<Shelf> {
  const server = await TestRedis.start()
  const log = createLog('test', { level: 'silent' })
  const redis = new RedisConnection({ url: new URL(server.url), log })
  await vi.waitUntil(() => redis.isUp, { timeout: 15_000 })
  return {
    open: (node, lifeMs = LIFE_MS) => new RedisLeases({ node: node as NodeId, redis, lifeMs }),
    lose: async () => {
      await redis.run((r) => r.flushall())
    },
    close: async () => {
      redis.close()
      await server.kill()
    },
  }
}

describe.each([
  ['in memory', () => Promise.resolve(memoryShelf())],
  ['in Redis', redisShelf],
])('leases %s', (_, openShelf) => {
  let shelf: Shelf
  let a: Leases
  let b: Leases
  beforeAll(async () => {
    shelf = await openShelf()
  })
  afterAll(() => shelf.close())
  beforeEach(async () => {
    await shelf.lose()
    a = shelf.open('node-a')
    b = shelf.open('node-b')
  })

  test('the first claim wins, with what it wrote; the second learns whose it is', async () => {
    const won = taken(await a.claim('room:stand-up', 'call-1'))
    expect(won).toMatchObject({ ours: true, lease: { holder: 'node-a', value: 'call-1' } })
    const lost = taken(await b.claim('room:stand-up', 'call-2'))
    expect(lost).toEqual({ ours: false, lease: won.lease })
    expect(taken(await b.find('room:stand-up'))).toEqual(won.lease)
    expect(taken(await b.find('room:other'))).toBeUndefined()
  })

  test('of many claims at once one wins', async () => {
    const nodes = Array.from({ length: 20 }, (__, i) => shelf.open(`node-${i}`))
    const claims = await Promise.all(nodes.map((node) => node.claim('call:one', '')))
    expect(claims.filter((claim) => taken(claim).ours)).toHaveLength(1)
    expect(new Set(claims.map((claim) => taken(claim).lease.holder)).size).toBe(1)
  })

  test('claiming what one has changes nothing', async () => {
    const first = taken(await a.claim('call:one', 'x'))
    expect(taken(await a.claim('call:one', 'y'))).toEqual(first)
  })

  test('a dead holder has nothing, and its heir a larger token', async () => {
    const before = taken(await a.claim('call:one', 'x')).lease
    await a.resign()
    expect(taken(await b.find('call:one'))).toBeUndefined()
    const after = taken(await b.claim('call:one', 'x'))
    expect(after.ours).toBe(true)
    expect(after.lease.token).toBeGreaterThan(before.token)
  })

  test('a holder that does not beat dies by itself', async () => {
    const brief = shelf.open('node-brief', 30)
    await brief.claim('call:one', 'x')
    await vi.waitUntil(async () => taken(await a.find('call:one')) === undefined, {
      timeout: 15_000,
    })
    expect(taken(await a.claim('call:one', 'x')).ours).toBe(true)
  })

  test('a lease is given back by its holder alone', async () => {
    const { lease } = taken(await a.claim('call:one', 'x'))
    await b.release({ key: 'call:one', token: lease.token })
    await a.release({ key: 'call:one', token: lease.token - 1 })
    expect(taken(await b.find('call:one'))).toEqual(lease)
    await a.release({ key: 'call:one', token: lease.token })
    expect(taken(await b.claim('call:one', 'y')).ours).toBe(true)
  })

  test('a holder writes down again what a lost store has forgotten', async () => {
    const keys = Array.from({ length: 450 }, (__, i) => `call:${i}`)
    const claims = await Promise.all(keys.map((key) => a.claim(key, 'x')))
    const held = claims.map((claim, i) => ({
      key: keys[i] ?? '',
      token: taken(claim).lease.token,
      value: 'x',
    }))
    await shelf.lose()
    await b.claim('call:449', 'y')
    const tokens = taken(await a.reassert(held))
    expect(tokens.flatMap((token, i) => (token === undefined ? [keys[i]] : []))).toEqual([
      'call:449',
    ])
    expect(new Set(tokens).size).toBe(450)
    expect(taken(await b.find('call:7'))).toEqual({
      holder: 'node-a',
      token: tokens[7],
      value: 'x',
    })
    expect(tokens[7]).toBeGreaterThanOrEqual(held[7]?.token ?? Infinity)
    expect(taken(await a.find('call:449'))).toMatchObject({ holder: 'node-b' })
  })

  test('who was taken for dead learns at its return what it has lost', async () => {
    const one = taken(await a.claim('call:one', 'x')).lease
    const two = taken(await a.claim('call:two', 'x')).lease
    await a.resign()
    await b.claim('call:one', 'x')
    const held = [
      { key: 'call:one', token: one.token, value: 'x' },
      { key: 'call:two', token: two.token, value: 'x' },
    ]
    expect(taken(await a.reassert(held))).toEqual([undefined, two.token])
  })

  test('nodes see the others that live', async () => {
    await a.beat()
    expect(taken(await b.peers())).toEqual(['node-a'])
    expect(taken(await a.peers())).toEqual([])
    await b.beat()
    expect(taken(await a.peers())).toEqual(['node-b'])
    await b.resign()
    expect(taken(await a.peers())).toEqual([])
  })
})

function taken<T>(result: { ok: true; data: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.data
}
