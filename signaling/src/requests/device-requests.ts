import { ok } from '@parley/protocol'
import type { ServerEvent } from '@parley/protocol'
import { append } from '../core/device-list.ts'
import type { Handlers, RequestContext } from './context.ts'

/** Requests about device lists, which only the users' devices can read meaning into. */
export const deviceRequests: Handlers<'devices.get' | 'devices.append' | 'devices.ask'> = {
  'devices.get': ({ deviceLists }, { user }) => ok({ entries: [...deviceLists.get(user)] }),

  'devices.append': (context, { length, entry }) => {
    const { deviceLists, at } = context
    const result = append(deviceLists.get(at.user), length, entry)
    if (!result.ok) return result
    deviceLists.set(at.user, result.data)
    tellOwn(context, { type: 'devices.changed', data: { user: at.user } })
    return ok({})
  },

  'devices.ask': (context, { request }) => {
    tellOwn(context, { type: 'devices.asked', data: { request } })
    return ok({})
  },
}

/** To the other devices of the user who asks. */
function tellOwn({ directory, at }: RequestContext, event: ServerEvent): void {
  for (const device of directory.connectedDevices(at.user)) {
    if (device !== at.device) directory.tell({ user: at.user, device }, event)
  }
}
