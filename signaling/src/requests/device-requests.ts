import { ok } from '@parley/protocol'
import type { Handlers, RequestContext } from './context.ts'

/** Requests about device lists, which only the users' devices can read meaning into. */
export const deviceRequests: Handlers<'devices.get' | 'devices.append' | 'devices.show'> = {
  'devices.get': async ({ people }, { user }) => {
    const known = await people.deviceLists.of(user)
    if (!known.ok) return known
    return ok({ entries: [...known.data.entries], cards: [...known.data.cards] })
  },

  'devices.append': async (context, { length, entries }) => {
    const appended = await context.people.deviceLists.append(context.at.user, length, entries)
    if (!appended.ok) return appended
    tellOwn(context)
    return ok({})
  },

  'devices.show': async (context, { card }) => {
    const shown = await context.people.deviceLists.show(context.at, card)
    if (!shown.ok) return shown
    tellOwn(context)
    return ok({})
  },
}

/** To the other devices of the user who asks, on whichever node they are. */
function tellOwn({ directory, at }: RequestContext): void {
  const { user } = at
  for (const device of directory.connectedDevices(user)) {
    if (device === at.device) continue
    directory.tell({ user, device }, { type: 'devices.changed', data: { user } })
  }
}
