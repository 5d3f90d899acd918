import { expect, it } from 'vitest'
import { MAX_INCARNATION } from '../core/frames/key-id.ts'
import { takeIncarnation } from './incarnations.ts'
import type { IncarnationStore } from './incarnations.ts'

it('[FRAME-3] counts the workers of one key and leaf, over reloads of the page', async () => {
  const store = memory()
  expect(await takeIncarnation(store, key(1))).toBe(0)
  expect(await takeIncarnation(store, key(1))).toBe(1)
  expect(await takeIncarnation(store, key(2))).toBe(0)
  expect(await takeIncarnation(store, { ...key(1), ownLeaf: 4 })).toBe(0)
  expect(await takeIncarnation(store, key(1))).toBe(2)
})

it('remembers the latest, and stores no keys', async () => {
  const store = memory()
  await takeIncarnation(store, key(1))
  for (let secret = 2; secret < 60; secret++) await takeIncarnation(store, key(secret))
  expect(await takeIncarnation(store, key(1))).toBe(1)
  for (let secret = 2; secret < 200; secret++) await takeIncarnation(store, key(secret))
  expect(store.text.length).toBeLessThan(3_000)
  expect(store.text).not.toContain('0101010101')
})

const stores: [string, IncarnationStore | undefined][] = [
  ['no store', undefined],
  ['one that is full', { getItem: () => null, setItem: fails }],
  ['one that may not be read', { getItem: fails, setItem: fails }],
  ['one with something else in it', { getItem: () => '{', setItem: () => undefined }],
]

it.each(stores)('draws lots with %s', async (_what, store) => {
  const drawn = await Promise.all([0, 1, 2, 3].map(() => takeIncarnation(store, key(1))))
  for (const incarnation of drawn) {
    expect(incarnation).toBeGreaterThanOrEqual(0)
    expect(incarnation).toBeLessThanOrEqual(MAX_INCARNATION)
  }
  expect(new Set(drawn).size).toBeGreaterThan(1)
})

function key(secret: number) {
  return { baseKey: new Uint8Array(16).fill(secret), ownLeaf: 3 }
}

function memory(): IncarnationStore & { text: string } {
  return {
    text: '[]',
    getItem() {
      return this.text
    },
    setItem(_key, value) {
      this.text = value
    },
  }
}

function fails(): never {
  throw new Error('not allowed')
}
