import { ok } from '@parley/protocol'
import type { Handlers } from './context.ts'

/** Requests about the connection itself. */
export const sessionRequests: Handlers<'ice.get' | 'presence.subscribe'> = {
  'ice.get': (context) => ok(context.iceConfig()),
  'presence.subscribe': (context) => ok({ users: [...context.subscribePresence()] }),
}
