import type {
  DeviceAddress,
  DeviceId,
  PushSubscriptionData,
  Result,
  UserId,
} from '@parley/protocol'
import { limits, ok } from '@parley/protocol'
import { done } from './outcome.ts'

/** Where one device of a user is woken. */
export interface DeviceSubscription {
  readonly device: DeviceId
  readonly subscription: PushSubscriptionData
}

/**
 * Web Push subscriptions: one for each device, each endpoint for one device only. `store-unavailable`
 * while the store is away; nothing rejects.
 */
export interface PushSubscriptions {
  /** Takes the endpoint away from whoever had it: a browser in which somebody else signed in. */
  put(at: DeviceAddress, subscription: PushSubscriptionData): Promise<Result<void>>
  remove(at: DeviceAddress): Promise<Result<void>>
  /** The push service says that the endpoint is gone. */
  removeEndpoint(user: UserId, endpoint: string): Promise<Result<void>>
  of(user: UserId): Promise<Result<readonly DeviceSubscription[]>>
  /** Forgets everything about a user. */
  erase(user: UserId): Promise<Result<void>>
}

/** Subscriptions in this process, gone with it. */
export function memoryPushSubscriptions(): PushSubscriptions {
  const users = new Map<UserId, Map<DeviceId, PushSubscriptionData>>()
  const owners = new Map<string, DeviceAddress>()
  const drop = ({ user, device }: DeviceAddress) => {
    const devices = users.get(user)
    const known = devices?.get(device)
    if (!devices || !known) return
    devices.delete(device)
    owners.delete(known.endpoint)
    if (devices.size === 0) users.delete(user)
  }
  return {
    put(at, subscription) {
      drop(at)
      const former = owners.get(subscription.endpoint)
      if (former) drop(former)
      const devices = users.get(at.user) ?? new Map<DeviceId, PushSubscriptionData>()
      const [oldest] = devices.keys()
      if (oldest !== undefined && devices.size >= limits.pushDevicesPerUser) {
        drop({ user: at.user, device: oldest })
      }
      devices.set(at.device, subscription)
      users.set(at.user, devices)
      owners.set(subscription.endpoint, at)
      return done()
    },
    remove(at) {
      drop(at)
      return done()
    },
    removeEndpoint(user, endpoint) {
      const at = owners.get(endpoint)
      if (at?.user === user) drop(at)
      return done()
    },
    of(user) {
      const devices = [...(users.get(user) ?? [])]
      const all = devices.map(([device, subscription]) => ({ device, subscription }))
      return Promise.resolve(ok(all))
    },
    erase(user) {
      for (const device of [...(users.get(user)?.keys() ?? [])]) drop({ user, device })
      return done()
    },
  }
}
