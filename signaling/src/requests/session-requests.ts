import { ok } from '@parley/protocol'
import type { Handlers } from './context.ts'

/** Requests about the connection itself. */
export const sessionRequests: Handlers<
  'ice.get' | 'session.leaving' | 'session.refresh' | 'device.prefer' | 'devices.connected'
> = {
  'ice.get': (context) => ok(context.iceConfig()),
  'session.leaving': (context) => {
    context.announceLeaving()
    return ok({})
  },
  'session.refresh': (context, { token }) => context.refresh(token),
  'device.prefer': ({ directory, session }, { callWaiting }) => {
    directory.prefer(session, callWaiting)
    return ok({})
  },
  'devices.connected': ({ directory, at }) => {
    const devices = directory.connectedDevices(at.user).filter((device) => device !== at.device)
    return ok({ devices })
  },
}
