import type { Call, UserId } from '@parley/protocol'
import { participantAt, ringsAt, viewOf } from '@parley/protocol'
import type { Directory } from './directory.ts'

/** Tells a user's devices that are not in a call, nor rung by it, of the one that another of his is in. */
export function tellElsewhere(directory: Directory, user: UserId, call: Call): void {
  for (const device of directory.connectedDevices(user)) {
    const at = { user, device }
    if (participantAt(call, at) || ringsAt(call, at)) continue
    directory.tell(at, { type: 'call.elsewhere', data: { call: viewOf(call) } })
  }
}
