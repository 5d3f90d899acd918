import type { DeviceCard, DeviceId, UserId } from '@parley/protocol'
import { memoryIdentityStore, trustOnFirstUse } from '../src/e2ee/identity/identity.ts'
import type { IdentityStore } from '../src/e2ee/identity/identity.ts'
import { CallError } from '../src/errors.ts'
import { OwnIdentity } from '../src/own-identity.ts'
import type { Request } from '../src/signaling.ts'
import { ManualClock } from '../src/testing.ts'

/** Keeps lists as the server does; `lose` is its restart without a store. */
export class DeviceServer {
  readonly #lists = new Map<string, string[]>()
  readonly #cards = new Map<string, Map<string, string>>()
  readonly #own = new Set<{ readonly user: UserId; readonly own: OwnIdentity }>()
  readonly clock = new ManualClock()
  isAway = false
  refused = 0
  /** What happens before each answer. */
  meanwhile: () => Promise<void> = () => Promise.resolve()

  lose(): void {
    this.#lists.clear()
    this.#cards.clear()
  }

  /** Shows other entries for a user from now on. */
  show(user: UserId, entries: readonly string[]): void {
    this.#lists.set(user, [...entries])
  }

  entries(user: UserId): readonly string[] {
    return [...(this.#lists.get(user) ?? [])]
  }

  device(user: UserId, name: string, store: IdentityStore = memoryIdentityStore()): OwnIdentity {
    const { clock } = this
    const request = ((type: string, data: Asked) =>
      this.#answer(user, name, type, data)) as unknown as Request
    const environment = { clock, identities: store }
    const own = new OwnIdentity({ environment, request, trust: trustOnFirstUse })
    void own.open(user, name as DeviceId)
    this.#own.add({ user, own })
    return own
  }

  async #answer(user: UserId, device: string, type: string, data: Asked) {
    await this.meanwhile()
    if (this.isAway) {
      this.refused += 1
      throw new CallError('store-unavailable')
    }
    switch (type) {
      case 'devices.get': {
        const cards = [...(this.#cards.get(data.user) ?? [])]
        const shown = cards.map(([id, card]) => ({ device: id, card }) as DeviceCard)
        return { entries: this.entries(data.user as UserId), cards: shown }
      }
      case 'devices.append': {
        const list = this.entries(user)
        if (list.length !== data.length) throw new CallError('device-list-conflict')
        this.show(user, [...list, ...data.entries])
        break
      }
      default: {
        const cards = this.#cards.get(user) ?? new Map<string, string>()
        this.#cards.set(user, cards.set(device, data.card))
      }
    }
    for (const one of this.#own) {
      if (one.user === user) one.own.handle({ type: 'devices.changed', data: { user } })
    }
    return {}
  }
}

interface Asked {
  readonly user: string
  readonly length: number
  readonly entries: readonly string[]
  readonly card: string
}
