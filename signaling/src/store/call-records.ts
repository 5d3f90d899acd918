import type { CallId, Millis, Result, UserId } from '@parley/protocol'
import { ok } from '@parley/protocol'
import type { CallRecord } from '../call-record.ts'

/** Which records, newest first. */
export interface RecordQuery {
  readonly user?: UserId | undefined
  /** Only those that ended before. */
  readonly before?: Millis | undefined
  readonly limit: number
}

/**
 * Records of calls that are over, for as long as they are kept. `store-unavailable` while the store is
 * away; nothing rejects.
 */
export interface CallRecords {
  put(record: CallRecord, endedAt: Millis): Promise<Result<void>>
  find(call: CallId, now: Millis): Promise<Result<CallRecord | undefined>>
  list(query: RecordQuery, now: Millis): Promise<Result<readonly CallRecord[]>>
}

/** Records in one process, at most; the oldest are forgotten. */
const MOST_RECORDS = 10_000

/** Records in this process, gone with it. */
export function memoryCallRecords(keepMs: Millis): CallRecords {
  // Put in the order of their ends, so the first ones are the oldest.
  const records = new Map<CallId, CallRecord>()
  const isKept = (record: CallRecord, now: Millis) => (record.endedAt ?? 0) > now - keepMs
  return {
    put(record, endedAt) {
      if (keepMs === 0) return Promise.resolve(ok(undefined))
      records.set(record.call, record)
      for (const [call, old] of records) {
        if (isKept(old, endedAt) && records.size <= MOST_RECORDS) break
        records.delete(call)
      }
      return Promise.resolve(ok(undefined))
    },
    find(call, now) {
      const record = records.get(call)
      return Promise.resolve(ok(record && isKept(record, now) ? record : undefined))
    },
    list({ user, before = Infinity, limit }, now) {
      const found = [...records.values()]
        .reverse()
        .filter((record) => isKept(record, now) && (record.endedAt ?? 0) < before)
        .filter((record) => user === undefined || concerns(record, user))
      return Promise.resolve(ok(found.slice(0, limit)))
    },
  }
}

/** Whether a user was in a call or asked to join it. */
export function concerns(record: CallRecord, user: UserId): boolean {
  return (
    record.participants.some((one) => one.user === user) ||
    record.invited.some((one) => one.user === user)
  )
}
