import type { Result } from '@parley/protocol'
import { ok } from '@parley/protocol'

/** What a store in memory answers to a change. */
export function done(): Promise<Result<void>> {
  return Promise.resolve(ok(undefined))
}

/** Of an answer that tells more, whether it was done. */
export function withoutData(result: Result<unknown>): Result<void> {
  return result.ok ? ok(undefined) : result
}
