import { fail, ok, participantById } from '@parley/protocol'
import type { Call, CallId, Participant, ParticipantId, Result } from '@parley/protocol'
import { admit, moderatesHere } from './admission.ts'
import { seatOf } from './context.ts'
import type { Handlers, RequestContext } from './context.ts'

/** Requests of moderators: who comes in, who goes, and who is heard. */
export const moderationRequests: Handlers<
  | 'call.mute'
  | 'call.unmute'
  | 'call.remove'
  | 'call.lock'
  | 'call.unlock'
  | 'call.lobby'
  | 'call.admit'
  | 'call.deny'
  | 'call.promote'
  | 'call.demote'
> = {
  'call.mute': (context, { call: id, participant, sources, force = false }) => {
    const found = targetOf(context, id, participant)
    if (!found.ok) return found
    const { call, target } = found.data
    const { calls, directory, at } = context
    const data = { call: id, sources, by: at.user }
    if (!force) {
      directory.tell(target, { type: 'call.mute-requested', data })
      return ok({})
    }
    const { user } = target
    calls.apply(id, { type: 'silenceChanged', user, sources, on: true })
    for (const seat of call.participants.filter((p) => p.user === user)) {
      directory.tell(seat, { type: 'call.muted', data: { ...data, reason: 'moderator' } })
    }
    return ok({})
  },

  'call.unmute': (context, { call: id, participant, sources }) => {
    const found = targetOf(context, id, participant)
    if (!found.ok) return found
    const { user } = found.data.target
    context.calls.apply(id, { type: 'silenceChanged', user, sources, on: false })
    return ok({})
  },

  'call.remove': (context, { call: id, participant }) => {
    const found = targetOf(context, id, participant)
    if (!found.ok) return found
    const { target } = found.data
    if (target.user === context.at.user) {
      const message = 'Nobody removes himself: hang up.'
      return fail('bad-request', { message, field: 'data.participant' })
    }
    if (target.moderates === true) return refuseByToken()
    context.calls.apply(id, { type: 'removed', user: target.user })
    return ok({})
  },

  'call.lock': (context, { call }) => setPolicy(context, call, { locked: true }),
  'call.unlock': (context, { call }) => setPolicy(context, call, { locked: false }),

  'call.lobby': (context, { call: id, on }) => {
    const found = moderated(context, id)
    if (!found.ok) return found
    context.calls.apply(id, { type: 'policyChanged', lobby: on })
    if (on) return ok({})
    const { waiting, policy } = found.data
    const users = new Set(waiting.map(({ user }) => user))
    for (const user of users) {
      const call = context.calls.find(id)
      // Where the call is full the others wait on.
      if (call && !policy.removed.includes(user)) admit(context, call, user)
    }
    return ok({})
  },

  'call.admit': (context, { call: id, user }) => {
    const found = moderated(context, id)
    return found.ok ? admit(context, found.data, user) : found
  },

  'call.deny': (context, { call: id, user }) => {
    const found = moderated(context, id)
    if (!found.ok) return found
    if (!found.data.waiting.some((waiter) => waiter.user === user)) {
      return fail('not-waiting', { field: 'data.user' })
    }
    context.calls.apply(id, { type: 'denied', user })
    return ok({})
  },

  'call.promote': (context, { call: id, participant }) => {
    const found = targetOf(context, id, participant)
    if (!found.ok) return found
    const { user } = found.data.target
    context.calls.apply(id, { type: 'moderatorChanged', user, on: true })
    return ok({})
  },

  'call.demote': (context, { call: id, participant }) => {
    const found = targetOf(context, id, participant)
    if (!found.ok) return found
    const { target } = found.data
    if (target.moderates === true) return refuseByToken()
    context.calls.apply(id, { type: 'moderatorChanged', user: target.user, on: false })
    return ok({})
  },
}

/** The call, if the one who asks moderates it. */
function moderated(context: RequestContext, id: CallId): Result<Call> {
  const found = seatOf(context, id)
  if (!found.ok) return found
  const { call } = found.data
  return moderatesHere(context, call) ? ok(call) : fail('not-moderator')
}

function targetOf(
  context: RequestContext,
  id: CallId,
  participant: ParticipantId,
): Result<{ readonly call: Call; readonly target: Participant }> {
  const found = moderated(context, id)
  if (!found.ok) return found
  const target = participantById(found.data, participant)
  if (!target) return fail('no-such-participant', { field: 'data.participant' })
  return ok({ call: found.data, target })
}

function setPolicy(context: RequestContext, id: CallId, policy: { readonly locked: boolean }) {
  const found = moderated(context, id)
  if (!found.ok) return found
  context.calls.apply(id, { type: 'policyChanged', ...policy })
  return ok({})
}

function refuseByToken() {
  const message = 'His token makes him a moderator: that is for the app to change.'
  return fail('not-permitted', { message, field: 'data.participant' })
}
