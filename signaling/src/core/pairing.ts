import type { Call, DeviceAddress, UserId } from '@parley/protocol'
import { participantAt, ringsAt } from '@parley/protocol'

/**
 * Two people who ring each other end in one call: the earlier one, which the second `call.start`
 * answers. Of the calls that the other one is in, it is that which rings at `at`, and in which he is
 * still alone.
 */
export function crossingCall(calls: readonly Call[], at: DeviceAddress): Call | undefined {
  return calls.find(
    (call) => call.room === undefined && ringsAt(call, at) && call.participants.length === 1,
  )
}

/**
 * Calls of these two alone that a new one takes the place of: the one who dials again has left them,
 * and the other has only not noticed. He has left where his seat is on the device that dials, or is
 * not connected.
 */
export function recalledCalls(
  calls: readonly Call[],
  at: DeviceAddress,
  user: UserId,
): readonly Call[] {
  return calls.filter(({ room, participants, invites }) => {
    const isPair =
      room === undefined &&
      participants.some((p) => p.user === at.user) &&
      participants.every((p) => p.user === at.user || p.user === user) &&
      invites.every((i) => i.user === user) &&
      (participants.some((p) => p.user === user) || invites.length > 0)
    const own = participants.filter((p) => p.user === at.user)
    return isPair && own.every((p) => p.device === at.device || !p.connected)
  })
}

/** Whether a device may come into a call in progress by itself. */
export function mayJoin(call: Call, at: DeviceAddress): boolean {
  return (
    participantAt(call, at) !== undefined ||
    call.participants.some((p) => p.user === at.user) ||
    call.invites.some((i) => i.user === at.user)
  )
}
