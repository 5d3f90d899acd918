import { describe, expect, it } from 'vitest'
import { browserPageMemory } from './page-memory.ts'

describe('[RELOAD-3] the memory of a page', () => {
  it('is there after a reload', async () => {
    const browser = new FakeBrowser()
    const before = browser.openTab()
    expect(await before.memory.claim('parley')).toBeUndefined()
    before.memory.keep('parley', 'a call')
    const after = browser.reload(before)
    expect(await after.memory.claim('parley')).toBe('a call')
  })

  it('is not taken by a copied tab, which keeps its own', async () => {
    const browser = new FakeBrowser()
    const first = browser.openTab()
    await first.memory.claim('parley')
    first.memory.keep('parley', 'a call')
    const copy = browser.copy(first)
    expect(await copy.memory.claim('parley')).toBeUndefined()
    copy.memory.keep('parley', 'another call')
    expect(await browser.reload(first).memory.claim('parley')).toBe('a call')
    expect(await browser.reload(copy).memory.claim('parley')).toBe('another call')
  })

  it('belongs to one client of a page, and to none without locks', async () => {
    const browser = new FakeBrowser()
    const tab = browser.openTab()
    await tab.memory.claim('parley')
    tab.memory.keep('parley', 'a call')
    expect(await tab.memory.claim('parley')).toBeUndefined()
    const bare = browserPageMemory({
      storage: () => tab.storage,
      locks: () => undefined,
      randomId: () => 'id',
    })
    expect(await bare.claim('parley')).toBeUndefined()
  })
})

interface Tab {
  readonly storage: Storage
  readonly memory: ReturnType<typeof browserPageMemory>
}

/** Tabs with storage of their own and locks in common; a reload lets go of the old page's locks. */
class FakeBrowser {
  readonly #locked = new Map<string, Storage>()
  #ids = 0

  openTab(kept: ReadonlyMap<string, string> = new Map()): Tab {
    const items = new Map(kept)
    const storage = {
      items,
      getItem: (name: string) => items.get(name) ?? null,
      setItem: (name: string, text: string) => void items.set(name, text),
    } as unknown as Storage
    const request = (name: string, _options: object, granted: () => Promise<never>) => {
      // Waiting for it ends as it does when the time is up.
      if (this.#locked.has(name)) return Promise.reject(new Error('timed out'))
      this.#locked.set(name, storage)
      return granted()
    }
    const memory = browserPageMemory({
      storage: () => storage,
      locks: () => ({ request }) as unknown as LockManager,
      randomId: () => `lock-${++this.#ids}`,
    })
    return { storage, memory }
  }

  copy({ storage }: Tab): Tab {
    return this.openTab((storage as unknown as { items: Map<string, string> }).items)
  }

  reload(tab: Tab): Tab {
    for (const [name, owner] of this.#locked) {
      if (owner === tab.storage) this.#locked.delete(name)
    }
    return this.copy(tab)
  }
}
