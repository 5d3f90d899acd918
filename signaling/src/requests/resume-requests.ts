import type { Handlers } from './context.ts'

/** Requests of devices that want their seats back. */
export const resumeRequests: Handlers<'call.resume'> = {
  'call.resume': ({ seats, at }, data) => seats.resume(at, data),
}
