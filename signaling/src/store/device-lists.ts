import type { DeviceAddress, DeviceCard, Result, UserId } from '@parley/protocol'
import { limits, ok } from '@parley/protocol'
import { append } from '../core/device-list.ts'
import type { DeviceList } from '../core/device-list.ts'
import { done } from './outcome.ts'

/** What is known of a user's devices. */
export interface KnownDevices {
  readonly entries: DeviceList
  /** The devices' cards, those that were shown longest ago first. */
  readonly cards: readonly DeviceCard[]
}

/**
 * The users' signed device lists, and the cards by which devices introduce themselves: one for each, the
 * newest. `store-unavailable` while the store is away; nothing rejects.
 */
export interface DeviceLists {
  of(user: UserId): Promise<Result<KnownDevices>>
  /** All of the entries or none, if the list still has `length` of them. */
  append(user: UserId, length: number, entries: readonly string[]): Promise<Result<void>>
  show(at: DeviceAddress, card: string): Promise<Result<void>>
  /** Forgets everything about a user. */
  erase(user: UserId): Promise<Result<void>>
}

interface Devices {
  readonly entries: DeviceList
  readonly cards: ReadonlyMap<DeviceAddress['device'], string>
}

/** Lists in this process, gone with it. Whose list was asked for longest ago goes first. */
export function memoryDeviceLists(): DeviceLists {
  const users = new Map<UserId, Devices>()
  const of = (user: UserId): Devices => users.get(user) ?? { entries: [], cards: new Map() }
  const keep = (user: UserId, devices: Devices) => {
    users.delete(user)
    users.set(user, devices)
    const [oldest] = users.keys()
    if (users.size > limits.deviceLists && oldest !== undefined) users.delete(oldest)
  }
  return {
    of(user) {
      const devices = of(user)
      if (users.has(user)) keep(user, devices)
      const cards = [...devices.cards].map(([device, card]) => ({ device, card }))
      return Promise.resolve(ok({ entries: devices.entries, cards }))
    },
    append(user, length, more) {
      const devices = of(user)
      const entries = append(devices.entries, length, more)
      if (!entries.ok) return Promise.resolve(entries)
      keep(user, { ...devices, entries: entries.data })
      return done()
    },
    show({ user, device }, card) {
      const devices = of(user)
      const others = [...devices.cards].filter(([other]) => other !== device)
      const newest = [...others, [device, card] as const].slice(-limits.deviceCards)
      keep(user, { ...devices, cards: new Map(newest) })
      return done()
    },
    erase(user) {
      users.delete(user)
      return done()
    },
  }
}
