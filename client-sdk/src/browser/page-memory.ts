import type { PageMemory } from '../ports.ts'

/** How long the page before a reload may take to be gone. Longer delays a copied tab. */
const HANDOVER_MS = 1_000

/** What this needs of the browser. */
export interface MemoryGlobals {
  readonly storage: () => Storage | undefined
  readonly locks: () => LockManager | undefined
  readonly randomId: () => string
}

/**
 * Keeps text in the tab's session storage, which outlives a reload. A copied tab gets a copy of it,
 * so each text goes with a lock, which the first tab holds: a copy finds it taken, and begins anew.
 */
export function browserPageMemory({ storage, locks, randomId }: MemoryGlobals): PageMemory {
  /** By name: the lock of what this page keeps. */
  const held = new Map<string, string>()

  const hold = (lock: string): Promise<boolean> =>
    new Promise((resolve) => {
      const signal = AbortSignal.timeout(HANDOVER_MS)
      const untilPageIsGone = () => {
        resolve(true)
        return new Promise<never>(() => undefined)
      }
      locks()
        ?.request(`parley ${lock}`, { signal }, untilPageIsGone)
        .catch(() => resolve(false))
    })

  return {
    async claim(name) {
      // Without locks, as on pages without TLS, a copy could not be told from a reload.
      if (held.has(name) || !locks() || !storage()) return undefined
      const kept = storage()?.getItem(name) ?? ''
      const at = kept.indexOf(' ')
      const lock = kept.slice(0, Math.max(0, at))
      if (lock !== '' && (await hold(lock))) {
        held.set(name, lock)
        return kept.slice(at + 1)
      }
      const fresh = randomId()
      if (await hold(fresh)) held.set(name, fresh)
      return undefined
    },

    keep(name, text) {
      const lock = held.get(name)
      if (lock === undefined) return
      try {
        storage()?.setItem(name, `${lock} ${text}`)
      } catch {
        // A full storage costs no more than the way back after a reload.
      }
    },
  }
}
