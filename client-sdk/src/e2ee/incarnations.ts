/** Where counts of starts outlive the page; `localStorage` in browsers. */
export interface IncarnationStore {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

const KEY = 'parley-incarnations'

/** Epochs remembered. A key that comes back after more than these were used would be an odd one. */
const MOST_KEPT = 64

/** Fits into a key id, and two of it meet once in four thousand million. */
const RANDOM_BYTES = 4

/**
 * Counts the workers that have sealed with one base key from one leaf, over reloads too, so that
 * each has key ids of its own and may begin to count at zero. Without a store it draws lots.
 */
export async function takeIncarnation(
  store: IncarnationStore | undefined,
  { baseKey, ownLeaf }: { readonly baseKey: Uint8Array; readonly ownLeaf: number },
): Promise<number> {
  const name = await fingerprint(baseKey, ownLeaf)
  try {
    if (!store) return drawn()
    const kept = read(store.getItem(KEY))
    const [, before = -1] = kept.find(([other]) => other === name) ?? []
    const others = kept.filter(([other]) => other !== name)
    const next = before + 1
    store.setItem(KEY, JSON.stringify([[name, next], ...others].slice(0, MOST_KEPT)))
    return next
  } catch {
    return drawn()
  }
}

function read(text: string | null): readonly (readonly [string, number])[] {
  const entries = JSON.parse(text ?? '[]') as unknown
  if (!Array.isArray(entries)) return []
  return entries.filter(
    (entry): entry is [string, number] =>
      Array.isArray(entry) && typeof entry[0] === 'string' && Number.isInteger(entry[1]),
  )
}

/** Names a key without telling anything of it. */
async function fingerprint(baseKey: Uint8Array, ownLeaf: number): Promise<string> {
  const label = new TextEncoder().encode('Parley incarnation ')
  const bytes = new Uint8Array([...label, ownLeaf, ...baseKey])
  const hash = await crypto.subtle.digest('SHA-256', bytes)
  bytes.fill(0)
  return [...new Uint8Array(hash, 0, 12)].map((b) => b.toString(16).padStart(2, '0')).join('')
}

function drawn(): number {
  const [number = 0] = new Uint32Array(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)).buffer)
  return number
}
