import type { Handlers } from './context.ts'
import { noteToken } from './seating.ts'

/** Requests of devices that want their seats back. */
export const resumeRequests: Handlers<'call.resume'> = {
  'call.resume': async (context, data) => {
    const resumed = await context.seats.resume(context.at, data)
    if (resumed.ok) noteToken(context, resumed.data.call.id, resumed.data.participant)
    return resumed
  },
}
