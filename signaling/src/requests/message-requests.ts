import type { DeviceAddress, ServerEvent } from '@parley/protocol'
import { fail, ok, participantById } from '@parley/protocol'
import { seatOf } from './context.ts'
import type { Handlers, RequestContext } from './context.ts'

/** What people tell each other within a call, besides their media. */
export const messageRequests: Handlers<'call.send' | 'call.react' | 'call.hand'> = {
  'call.send': (context, { call: id, to, message }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { call, seat } = found.data
    const recipient = to === undefined ? undefined : participantById(call, to)
    if (to !== undefined && !recipient) return fail('no-such-participant', { field: 'data.to' })
    const data = { call: id, from: seat.id, direct: recipient !== undefined, message }
    const others = call.participants.filter((p) => p.id !== seat.id)
    return pass(context, recipient ? [recipient] : others, { type: 'call.message', data })
  },

  'call.react': (context, { call: id, reaction }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { call, seat } = found.data
    const others = call.participants.filter((p) => p.id !== seat.id)
    const data = { call: id, from: seat.id, reaction }
    return pass(context, others, { type: 'call.reaction', data })
  },

  'call.hand': (context, { call: id, raised }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    context.calls.apply(id, { type: 'handMoved', participant: found.data.seat.id, raised })
    return ok({})
  },
}

/** Each message costs the others something, so a device has fewer of them than of requests. */
export function isMessage(type: string): boolean {
  return type === 'call.send' || type === 'call.react'
}

function pass(context: RequestContext, to: readonly DeviceAddress[], event: ServerEvent) {
  for (const each of to) context.directory.tell(each, event)
  return ok({})
}
