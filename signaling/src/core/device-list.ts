import type { Result } from '@parley/protocol'
import { fail, limits, ok } from '@parley/protocol'

/** Signed entries of one user's devices, oldest first. The server cannot make one. */
export type DeviceList = readonly string[]

/** Appends, if the list is still as long as its writer thought. */
export function append(
  list: DeviceList,
  length: number,
  entries: readonly string[],
): Result<DeviceList> {
  if (list.length !== length) return fail('device-list-conflict')
  if (length + entries.length > limits.deviceEntries) {
    return fail('device-list-full', { limit: limits.deviceEntries })
  }
  return ok([...list, ...entries])
}
