import {
  fail,
  hasCompany,
  limits,
  ok,
  participantAt,
  participantById,
  pendingOffer,
  viewFor,
} from '@parley/protocol'
import type { Call, Invitee, Offer, Participant } from '@parley/protocol'
import { refuseBringing, refuseInviting, refuseMixing } from './admission.ts'
import { seatOf } from './context.ts'
import type { Handlers, RequestContext } from './context.ts'
import { mayJoin } from '../core/pairing.ts'
import {
  findWakeable,
  holdOthers,
  inviteeOf,
  newParticipantId,
  refuseFullCall,
  refuseMoreCalls,
  sendingOf,
  takeSeat,
} from './seating.ts'

/** Requests about a place in a call: holding it, giving it away, taking it over. */
export const handOverRequests: Handlers<
  | 'call.hold'
  | 'call.join'
  | 'call.settle'
  | 'call.transfer'
  | 'call.merge'
  | 'call.move'
  | 'call.uninvite'
> = {
  'call.hold': (context, { call: id, on }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const participant = found.data.seat.id
    if (!on) holdOthers(context, id)
    context.calls.apply(id, { type: 'holdChanged', participant, onHold: on })
    return ok({})
  },

  'call.join': (context, { call: id, media, replaces, encrypted }) => {
    const { calls, at } = context
    const call = calls.find(id)
    if (!call) return fail('call-not-found', { field: 'data.call' })
    const seat = participantAt(call, at)
    if (seat) return ok({ call: viewFor(call, at), participant: seat.id })
    if (!mayJoin(call, at)) return fail('not-invited', { field: 'data.call' })
    const refusal =
      refuseMixing(call, encrypted) ?? refuseMoreCalls(context) ?? refuseFullCall(call)
    if (refusal) return refusal
    const old = replaces && participantById(call, replaces)
    if (replaces && old?.user !== at.user) {
      return fail('no-such-participant', { field: 'data.replaces' })
    }
    return takeSeat(context, id, (participant) => ({
      type: 'joined',
      participant,
      at,
      sending: sendingOf(media),
      ...(replaces && { replaces }),
    }))
  },

  'call.settle': (context, { call: id }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    context.calls.apply(id, { type: 'settled', participant: found.data.seat.id })
    return ok({})
  },

  'call.uninvite': (context, { call: id, user }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    context.calls.apply(id, { type: 'uninvited', user })
    return ok({})
  },

  'call.transfer': async (context, { call: id, to }) => {
    const wakeable = await findWakeable(context, [to])
    const found = seatOf(context, id)
    if (!found.ok) return found
    if (to === context.at.user) return fail('call-self', { field: 'data.to' })
    const refusal = refuseInviting(context, found.data, [to]) ?? refuseOffer(found.data)
    if (refusal) return refusal
    const invitee = inviteeOf(context, to)
    const wakes = invitee.outcome === 'unreachable' && wakeable.has(to)
    return offer(
      context,
      found.data,
      wakes ? { user: to, outcome: 'wake' } : invitee,
      'transferred',
    )
  },

  'call.move': (context, { call: id, device }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { user, device: own } = context.at
    if (device === own) return fail('call-self', { field: 'data.device' })
    if (participantAt(found.data.call, { user, device })) {
      const message = 'That device is in the call already.'
      return fail('bad-request', { message, field: 'data.device' })
    }
    const refusal = refuseOffer(found.data)
    if (refusal) return refusal
    const reachable = context.directory.connectedDevices(user).filter((d) => d === device)
    return offer(context, found.data, inviteeOf(context, user, reachable), 'moved')
  },

  'call.merge': (context, { call: id, into }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const target = seatOf(context, into)
    if (!target.ok) return fail(target.error.code, { field: 'data.into' })
    const { call, seat } = found.data
    if (into === id) return fail('bad-request', { field: 'data.into' })
    if (!hasCompany(call, seat) || !hasCompany(target.data.call, target.data.seat)) {
      return fail('not-answered')
    }
    // A device that is in both goes on in the one.
    const others = call.participants.filter((p) => !participantAt(target.data.call, p))
    const people = [...target.data.call.participants, ...others].map(({ user }) => user)
    if (new Set(people).size < 3) return fail('not-answered')
    const refusal =
      refuseMixing(target.data.call, call.policy.encrypted) ??
      refuseBringing(context, target.data, others)
    if (refusal) return refusal
    const limit = limits.participantsPerCall
    if (target.data.call.participants.length - 1 + others.length > limit) {
      return fail('call-full', { limit })
    }
    const seats = others.map(({ user, device, sending, connected, onHold }) => ({
      participant: newParticipantId(context),
      at: { user, device },
      sending,
      connected,
      onHold,
    }))
    const brought = others.map(({ id: old }) => old)
    context.calls.apply(id, { type: 'handedOver', by: seat.id, brought })
    context.calls.apply(into, { type: 'tookOver', by: target.data.seat.id, from: id, seats })
    return ok({})
  },
}

interface Seated {
  readonly call: Call
  readonly seat: Participant
}

function refuseOffer({ call, seat }: Seated) {
  if (!hasCompany(call, seat)) return fail('not-answered')
  return pendingOffer(call, seat.id) && fail('hand-over-pending')
}

function offer(
  { calls, env, ringTimeoutMs }: RequestContext,
  { call, seat }: Seated,
  to: Invitee,
  how: Offer['how'],
) {
  if (to.outcome === 'unreachable') return fail('user-offline')
  const { microphone, camera } = seat.sending
  calls.apply(call.id, {
    type: 'offered',
    offer: { by: seat.id, how },
    to,
    media: { audio: microphone, video: camera },
    deadline: env.now() + ringTimeoutMs,
  })
  return ok({})
}
