import type { Millis } from '@parley/protocol'

/**
 * How long a room outlives the controller that ordered it last. Longer rides over longer outages of
 * signaling; shorter frees the rooms of one that never comes back.
 */
export const LEASE_MS = 15 * 60_000

/** When a room's lease ends: never while its controller is here. */
export function leaseEnd(
  current: Millis | undefined,
  controllerIsHere: boolean,
  now: Millis,
): Millis | undefined {
  return controllerIsHere ? undefined : (current ?? now + LEASE_MS)
}
