import type { Millis, MissedCall, UserId } from '@parley/protocol'
import { limits, ok } from '@parley/protocol'
import { redisKey } from '../redis/connection.ts'
import type { RedisConnection } from '../redis/connection.ts'
import { SEEN_DEVICES } from './mailbox.ts'
import type { Mailbox } from './mailbox.ts'
import { noteDevice } from './newest-devices.ts'
import { withoutData } from './outcome.ts'

/**
 * KEYS: the missed calls by their `seq`, how far each device has seen them, and when it said so last.
 * What is put again keeps its place.
 */
const PUT = `
local function text(n) return string.format('%.0f', n) end
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if known then return text(tonumber(known)) end
local at, keep = tonumber(ARGV[2]), tonumber(ARGV[3])
local last = tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or '0')
for _, seen in ipairs(redis.call('HVALS', KEYS[2])) do last = math.max(last, tonumber(seen)) end
local seq = math.max(last + 1, at)
redis.call('ZADD', KEYS[1], text(seq), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(at - keep))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -(tonumber(ARGV[4]) + 1))
for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return text(seq)`

const UNSEEN = `
local seen = redis.call('HGET', KEYS[2], ARGV[1]) or '0'
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. seen, '+inf', 'WITHSCORES')`

const ACKNOWLEDGE = `
local seq = tonumber(ARGV[2])
local last = tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or '0')
if seq > last or seq <= tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0') then return 0 end
${noteDevice({ values: 'KEYS[2]', order: 'KEYS[3]', device: 'ARGV[1]', value: 'ARGV[2]', most: 'ARGV[4]' })}
for i = 2, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return 1`

/** Mailboxes in Redis: they outlive the processes, and all of these share them. */
export function redisMailbox(redis: RedisConnection, keepMs: Millis): Mailbox {
  return {
    async put(user, missed) {
      const at = Math.floor(missed.at)
      const args = [JSON.stringify(missed), at, keepMs, limits.missedCalls]
      const put = await redis.run((r) => r.eval(PUT, 3, ...keysOf(user), ...args))
      return put.ok ? ok({ ...missed, seq: Number(put.data) }) : put
    },
    async unseen(user, device, now) {
      const rows = await redis.run((r) => r.eval(UNSEEN, 3, ...keysOf(user), device))
      if (!rows.ok) return rows
      // The script gives what was put and its number by turns.
      const missed = readMissed(rows.data as readonly string[])
      return ok(missed.filter(({ at }) => at > now - keepMs))
    },
    async acknowledge(user, device, seq) {
      const args = [device, seq, keepMs, SEEN_DEVICES]
      return withoutData(await redis.run((r) => r.eval(ACKNOWLEDGE, 3, ...keysOf(user), ...args)))
    },
    async erase(user) {
      return withoutData(await redis.run((r) => r.del(...keysOf(user))))
    },
  }
}

function keysOf(user: UserId) {
  return [
    redisKey('mailbox', user),
    redisKey('mailbox-seen', user),
    redisKey('mailbox-said', user),
  ] as const
}

function readMissed(rows: readonly string[]): readonly MissedCall[] {
  return rows.flatMap((text, index) => {
    if (index % 2 === 1) return []
    // Written by `put`.
    const missed = JSON.parse(text) as Omit<MissedCall, 'seq'>
    return [{ ...missed, seq: Number(rows[index + 1]) }]
  })
}
