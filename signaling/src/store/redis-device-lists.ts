import type { DeviceId, UserId } from '@parley/protocol'
import { fail, limits, ok } from '@parley/protocol'
import { redisKey } from '../redis/connection.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { DeviceLists } from './device-lists.ts'
import { noteDevice } from './newest-devices.ts'
import { withoutData } from './outcome.ts'

/**
 * A user whom nobody has asked about for this long is forgotten; his devices give the list back when
 * they return. Shorter has people who meet again after a year wonder about a list that is gone.
 */
const KEEP_MS = 400 * 24 * 60 * 60 * 1_000

/** KEYS, here and below: the entries, each device's card, and when it was shown. */
const READ = `
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
local cards = {}
for _, device in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  cards[#cards + 1] = device
  cards[#cards + 1] = redis.call('HGET', KEYS[2], device)
end
return { redis.call('LRANGE', KEYS[1], 0, -1), cards }`

const APPEND = `
local length = redis.call('LLEN', KEYS[1])
if length ~= tonumber(ARGV[2]) then return 'conflict' end
if length + #ARGV - 3 > tonumber(ARGV[3]) then return 'full' end
for i = 4, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
return 'ok'`

const SHOW = `${noteDevice({ values: 'KEYS[2]', order: 'KEYS[3]', device: 'ARGV[2]', value: 'ARGV[3]', most: 'ARGV[4]' })}
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
return 1`

/** Device lists in Redis: they outlive the processes, and all of these share them. */
export function redisDeviceLists(redis: RedisConnection): DeviceLists {
  return {
    async of(user) {
      const found = await redis.run((r) => r.eval(READ, 3, ...keysOf(user), KEEP_MS))
      if (!found.ok) return found
      // The script gives the entries, then devices and cards by turns.
      const [entries, pairs] = found.data as readonly [readonly string[], readonly string[]]
      const cards = pairs.flatMap((device, index) => {
        const card = pairs[index + 1]
        return index % 2 === 0 && card ? [{ device: device as DeviceId, card }] : []
      })
      return ok({ entries, cards })
    },
    async append(user, length, entries) {
      const args = [KEEP_MS, length, limits.deviceEntries, ...entries]
      const appended = await redis.run((r) => r.eval(APPEND, 3, ...keysOf(user), ...args))
      if (appended.ok && appended.data === 'conflict') return fail('device-list-conflict')
      if (appended.ok && appended.data === 'full') {
        return fail('device-list-full', { limit: limits.deviceEntries })
      }
      return withoutData(appended)
    },
    async show({ user, device }, card) {
      const args = [KEEP_MS, device, card, limits.deviceCards]
      return withoutData(await redis.run((r) => r.eval(SHOW, 3, ...keysOf(user), ...args)))
    },
    async erase(user) {
      return withoutData(await redis.run((r) => r.del(...keysOf(user))))
    },
  }
}

function keysOf(user: UserId) {
  return [
    redisKey('devices', user),
    redisKey('device-cards', user),
    redisKey('device-cards-order', user),
  ] as const
}
