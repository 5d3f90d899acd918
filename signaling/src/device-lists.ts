import type { UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import type { DeviceList } from './core/device-list.ts'

/** Keeps the users' device lists. */
export interface DeviceListStore {
  get(user: UserId): DeviceList
  set(user: UserId, list: DeviceList): void
}

/** In memory, for as many users as the limit says: the list that was asked for longest ago goes. */
export class MemoryDeviceLists implements DeviceListStore {
  readonly #lists = new Map<UserId, DeviceList>()

  get(user: UserId): DeviceList {
    const list = this.#lists.get(user)
    if (list) this.set(user, list)
    return list ?? []
  }

  set(user: UserId, list: DeviceList): void {
    this.#lists.delete(user)
    this.#lists.set(user, list)
    const [oldest] = this.#lists.keys()
    if (this.#lists.size > limits.deviceLists && oldest) this.#lists.delete(oldest)
  }
}
