import type { EventFrame } from '@parley/protocol'

/** What waits for a slow reader: an event, or the answer to a request. */
export type Outgoing =
  | { readonly type: 'event'; readonly frame: EventFrame }
  | { readonly type: 'answer'; readonly send: () => void }

/**
 * What waits for a slow reader, in order. Of events that tell the whole state of one thing only the
 * newest is kept. Bounded: `push` says when there is no more room.
 */
export class Outbox {
  readonly #most: number
  readonly #items = new Map<unknown, Outgoing>()

  constructor(most: number) {
    this.#most = most
  }

  /** `false`: full, and the item was not taken. */
  push(item: Outgoing): boolean {
    const key = (item.type === 'event' ? stateKey(item.frame) : undefined) ?? item
    this.#items.delete(key)
    if (this.#items.size >= this.#most) return false
    this.#items.set(key, item)
    return true
  }

  /** Takes out up to `count`, oldest first. */
  take(count: number): readonly Outgoing[] {
    const taken: Outgoing[] = []
    for (const [key, item] of this.#items) {
      if (taken.length >= count) break
      this.#items.delete(key)
      taken.push(item)
    }
    return taken
  }

  get size(): number {
    return this.#items.size
  }
}

/** Which field names the thing whose whole state an event of this type tells. */
const stateFields: Readonly<Record<string, string>> = {
  'sfu.speaker': 'call',
  'sfu.demand': 'producer',
  'sfu.layer': 'consumer',
  'call.moderation': 'call',
}

/** The same for two events of which the later one makes the earlier one void. */
function stateKey({ type, data }: EventFrame): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const fields = data as Readonly<Record<string, unknown>>
  if (type === 'call.updated') {
    const { call } = fields as { readonly call?: { readonly id?: unknown } }
    return `${type} ${String(call?.id)}`
  }
  if (type === 'presence') {
    const { users } = fields as { readonly users?: readonly { readonly user?: unknown }[] }
    return users?.length === 1 ? `${type} ${String(users[0]?.user)}` : undefined
  }
  const field = stateFields[type]
  return field === undefined ? undefined : `${type} ${String(fields[field])}`
}
