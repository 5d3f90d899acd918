import type { CallId, Millis, UserId } from '@parley/protocol'
import { ok } from '@parley/protocol'
import type { CallRecord } from '../call-record.ts'
import { redisKey } from '../redis/connection.ts'
import type { RedisConnection } from '../redis/connection.ts'
import { commit } from '../redis/transaction.ts'
import type { CallRecords } from './call-records.ts'

/** Records that can be listed: of all, and of one user. The oldest are listed no more beyond that. */
const MOST_LISTED = 100_000
const MOST_LISTED_OF_USER = 1_000

/** Records in Redis, each until it is too old. */
export function redisCallRecords(redis: RedisConnection, keepMs: Millis): CallRecords {
  const isKept = (record: CallRecord, now: Millis) => (record.endedAt ?? 0) > now - keepMs
  return {
    async put(record, endedAt) {
      if (keepMs === 0) return ok(undefined)
      const users = new Set([...record.participants, ...record.invited].map(({ user }) => user))
      return redis.run((r) => {
        const multi = r.multi().set(recordKey(record.call), JSON.stringify(record), 'PX', keepMs)
        const lists = [...users].map((user) => [listKey(user), MOST_LISTED_OF_USER] as const)
        for (const [key, most] of [[listKey(), MOST_LISTED] as const, ...lists]) {
          multi.zadd(key, endedAt, record.call)
          multi.zremrangebyscore(key, '-inf', endedAt - keepMs)
          multi.zremrangebyrank(key, 0, -(most + 1))
          multi.pexpire(key, keepMs)
        }
        return commit(multi)
      })
    },
    async find(call, now) {
      const found = await redis.run((r) => r.get(recordKey(call)))
      if (!found.ok) return found
      const record = readRecord(found.data)
      return ok(record && isKept(record, now) ? record : undefined)
    },
    async list({ user, before, limit }, now) {
      const newest = before === undefined ? '+inf' : `(${before}`
      const oldest = `(${now - keepMs}`
      const calls = await redis.run((r) =>
        r.zrevrangebyscore(listKey(user), newest, oldest, 'LIMIT', 0, limit),
      )
      if (!calls.ok) return calls
      if (calls.data.length === 0) return ok([])
      const keys = calls.data.map((call) => recordKey(call))
      const texts = await redis.run((r) => r.mget(...keys))
      return texts.ok ? ok(texts.data.flatMap((text) => readRecord(text) ?? [])) : texts
    },
  }
}

function recordKey(call: CallId | string): string {
  return redisKey('record', call)
}

function listKey(user?: UserId): string {
  return user === undefined ? redisKey('records') : redisKey('records-of', user)
}

/** Written by `put`. */
function readRecord(text: string | null): CallRecord | undefined {
  return text === null ? undefined : (JSON.parse(text) as CallRecord)
}
