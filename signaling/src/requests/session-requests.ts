import { ok } from '@parley/protocol'
import type { Handlers } from './context.ts'

/** Requests about the connection itself. */
export const sessionRequests: Handlers<'ice.get' | 'presence.subscribe' | 'device.prefer'> = {
  'ice.get': (context) => ok(context.iceConfig()),
  'device.prefer': ({ directory, session }, { callWaiting }) => {
    directory.prefer(session, callWaiting)
    return ok({})
  },
  'presence.subscribe': (context) => ok({ users: [...context.subscribePresence()] }),
}
