import { createHash } from 'node:crypto'
import type {
  DeviceAddress,
  DeviceId,
  PushSubscriptionData,
  Result,
  UserId,
} from '@parley/protocol'
import { limits, ok } from '@parley/protocol'
import { redisKey } from '../redis/connection.ts'
import type { RedisConnection } from '../redis/connection.ts'
import { noteDevice } from './newest-devices.ts'
import { withoutData } from './outcome.ts'
import type { DeviceSubscription, PushSubscriptions } from './push-subscriptions.ts'

/**
 * Subscriptions of a user who has not renewed one for this long are forgotten. Apps renew them at each
 * start; longer keeps endpoints that push services have given up long ago.
 */
const KEEP_MS = 180 * 24 * 60 * 60 * 1_000

/** KEYS: what each device has, when it said so, and whose the endpoint is. */
const PUT = `${noteDevice({ values: 'KEYS[1]', order: 'KEYS[2]', device: 'ARGV[1]', value: 'ARGV[2]', most: 'ARGV[4]' })}
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[5])
for i = 1, 2 do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return 1`

/** Takes away what a device has, if it still has that, and its endpoint, if it is still its own. */
const REMOVE = `
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
if redis.call('GET', KEYS[3]) == ARGV[3] then redis.call('DEL', KEYS[3]) end
return 1`

/**
 * Subscriptions in Redis. An endpoint names its one device; whatever other device has it in its entry
 * has lost it to that one, and is passed over.
 */
export function redisPushSubscriptions(redis: RedisConnection): PushSubscriptions {
  const all = async (user: UserId): Promise<Result<readonly DeviceSubscription[]>> => {
    const rows = await redis.run((r) => r.hgetall(redisKey('push', user)))
    if (!rows.ok) return rows
    return ok(
      Object.entries(rows.data).map(([device, text]) => ({
        // Both were written by `put`.
        device: device as DeviceId,
        subscription: JSON.parse(text) as PushSubscriptionData,
      })),
    )
  }
  /** Takes those of a user's subscriptions away that are meant. */
  const removeThose = async (
    user: UserId,
    isMeant: (one: DeviceSubscription) => boolean,
  ): Promise<Result<void>> => {
    const known = await all(user)
    if (!known.ok) return known
    for (const { device, subscription } of known.data.filter(isMeant)) {
      const args = [device, JSON.stringify(subscription), ownerOf({ user, device })]
      const keys = keysOf(user, subscription.endpoint)
      const removed = await redis.run((r) => r.eval(REMOVE, 3, ...keys, ...args))
      if (!removed.ok) return removed
    }
    return ok(undefined)
  }
  return {
    async put(at, { endpoint, keys }) {
      const { user, device } = at
      const former = await removeThose(
        user,
        (one) => one.device === device && one.subscription.endpoint !== endpoint,
      )
      if (!former.ok) return former
      const subscription = JSON.stringify({ endpoint, keys })
      const args = [device, subscription, ownerOf(at), limits.pushDevicesPerUser, KEEP_MS]
      const put = await redis.run((r) => r.eval(PUT, 3, ...keysOf(user, endpoint), ...args))
      return withoutData(put)
    },
    remove: ({ user, device }) => removeThose(user, (one) => one.device === device),
    removeEndpoint: (user, endpoint) =>
      removeThose(user, ({ subscription }) => subscription.endpoint === endpoint),
    async of(user) {
      const known = await all(user)
      if (!known.ok || known.data.length === 0) return known
      const endpoints = known.data.map(({ subscription }) => ownerKey(subscription.endpoint))
      const owners = await redis.run((r) => r.mget(...endpoints))
      if (!owners.ok) return owners
      return ok(known.data.filter(({ device }, i) => owners.data[i] === ownerOf({ user, device })))
    },
    erase: (user) => removeThose(user, () => true),
  }
}

function keysOf(user: UserId, endpoint: string) {
  return [redisKey('push', user), redisKey('push-order', user), ownerKey(endpoint)] as const
}

function ownerKey(endpoint: string): string {
  return redisKey('push-owner', createHash('sha256').update(endpoint).digest('base64url'))
}

function ownerOf({ user, device }: DeviceAddress): string {
  return JSON.stringify([user, device])
}
