import type { Call, CallId, CallMedia, Invitee, UserId } from '@parley/protocol'
import {
  fail,
  ok,
  participantAt,
  participantById,
  ringsAt,
  viewFor,
  waiterAt,
} from '@parley/protocol'
import { mayPublishAll } from '../core/grants.ts'
import { crossingCall, recalledCalls } from '../core/pairing.ts'
import { seatOf } from './context.ts'
import { refuseEntry, refuseInviting, refuseMixing, startersOf } from './admission.ts'
import type { Handlers, RequestContext } from './context.ts'
import {
  endOthers,
  findWakeable,
  ID_BYTES,
  inviteeOf,
  refuseFullCall,
  refuseMoreCalls,
  sendingOf,
  takeSeat,
} from './seating.ts'
import type { Joined } from './seating.ts'

/** Requests about calls and rooms. */
export const callRequests: Handlers<
  | 'call.start'
  | 'call.accept'
  | 'call.decline'
  | 'call.hangup'
  | 'call.invite'
  | 'call.sending'
  | 'call.signal'
  | 'call.ready'
  | 'call.escalate'
  | 'room.join'
> = {
  'call.start': async (context, { call: id, users, media, payload, encrypted = false }) => {
    const { calls, at } = context
    if (users.includes(at.user)) return fail('call-self', { field: 'data.users' })
    if (calls.find(id)) return fail('call-exists', { field: 'data.call' })
    const invited = { id, users, media, payload }
    const wakeable = await findWakeable(context, users)
    // Meanwhile anything may have happened; from here on nothing waits.
    if (calls.find(id)) return fail('call-exists', { field: 'data.call' })
    const [user, ...more] = users
    if (user !== undefined && more.length === 0) {
      const crossing = crossingCall(calls.ofUser(user), at)
      if (crossing) return refuseMixing(crossing, encrypted) ?? accept(context, crossing.id, media)
      for (const { id: old } of recalledCalls(calls.ofUser(at.user), at, user)) {
        calls.apply(old, { type: 'closed', reason: 'superseded' })
      }
    }
    const refusal = refuseMoreCalls(context)
    if (refusal) return refusal
    const invitees = inviteesOf(context, users, wakeable)
    if (!invitees.some(isReachable)) return refuseOffline(context, invited)
    const sfuOnly = !mayPublishAll(context.grants)
    const spec = { id, room: undefined, startedBy: at.user, sfuOnly, encrypted }
    calls.open({ ...spec, ...startersOf(context) })
    const seated = join(context, id, media)
    if (!seated.ok) return seated
    // The answer shows the call as the caller left it: with everybody still ringing.
    invite(context, invited, invitees)
    const now = calls.find(id)
    return now ? ok({ ...seated.data, call: viewFor(now, at) }) : seated
  },

  'call.accept': (context, { call: id, media, others = 'hold', encrypted }) => {
    const { calls, at } = context
    const call = calls.find(id)
    if (!call) return fail('call-not-found', { field: 'data.call' })
    if (!ringsAt(call, at)) return refuseAnswer(call, context)
    const stopped = refuseMixing(call, encrypted) ?? refuseFullCall(call)
    if (stopped) return stopped
    if (others === 'end') endOthers(context, id)
    return refuseMoreCalls(context) ?? accept(context, id, media)
  },

  'call.decline': ({ calls, at }, { call: id }) => {
    const call = calls.find(id)
    if (!call || !ringsAt(call, at)) return fail('not-ringing', { field: 'data.call' })
    calls.apply(id, { type: 'declined', at })
    return ok({})
  },

  'call.hangup': (context, { call: id }) => {
    const { calls, at } = context
    const call = calls.find(id)
    if (call && waiterAt(call, at)) {
      calls.apply(id, { type: 'unknocked', at })
      return ok({})
    }
    const found = seatOf(context, id)
    if (!found.ok) return found
    calls.apply(id, { type: 'left', participant: found.data.seat.id, reason: 'hangup' })
    return ok({})
  },

  'call.invite': async (context, { call: id, users, media, payload }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    if (users.includes(context.at.user)) return fail('call-self', { field: 'data.users' })
    const wakeable = await findWakeable(context, users)
    const still = seatOf(context, id)
    if (!still.ok) return still
    const refusal = refuseInviting(context, still.data, users) ?? refuseFullCall(still.data.call)
    if (refusal) return refusal
    const invited = { id, users, media, payload }
    const invitees = inviteesOf(context, users, wakeable)
    if (!invitees.some(isReachable)) return refuseOffline(context, invited)
    invite(context, invited, invitees)
    return ok({})
  },

  'room.join': (context, { room, media, topology, call: wanted, encrypted = false }) => {
    const { calls, at, env } = context
    const existing = calls.inRoom(room)
    const seat = existing && participantAt(existing, at)
    if (existing && seat) return ok({ call: viewFor(existing, at), participant: seat.id })
    if (wanted && existing?.id !== wanted) return fail('call-not-found', { field: 'data.call' })
    const refusal = refuseMoreCalls(context) ?? (existing && refuseMixing(existing, encrypted))
    if (refusal) return refusal
    const stopped = existing && (refuseEntry(context, existing, media) ?? refuseFullCall(existing))
    if (stopped) return stopped
    // Made here, so it has the shape that the brand stands for.
    const id = existing?.id ?? (env.randomId(ID_BYTES) as CallId)
    const sfuOnly = topology === 'sfu' || !mayPublishAll(context.grants)
    const spec = { id, room, startedBy: at.user, sfuOnly, encrypted, ...startersOf(context) }
    if (!existing) calls.open(spec)
    const seated = join(context, id, media)
    if (existing && topology === 'sfu') calls.apply(id, { type: 'escalated' })
    const now = calls.find(id)
    return seated.ok && now ? ok({ ...seated.data, call: viewFor(now, at) }) : seated
  },

  'call.sending': (context, { call: id, sending }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const participant = found.data.seat.id
    context.calls.apply(id, { type: 'sendingChanged', participant, sending })
    return ok({})
  },

  'call.signal': (context, { call: id, to, epoch, signal }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const recipient = participantById(found.data.call, to)
    if (!recipient) return fail('no-such-participant', { field: 'data.to' })
    context.directory.tell(recipient, {
      type: 'call.signal',
      data: { call: id, from: found.data.seat.id, epoch, signal },
    })
    return ok({})
  },

  'call.ready': (context, { call: id, epoch }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    context.calls.apply(id, { type: 'ready', participant: found.data.seat.id, epoch })
    return ok({})
  },

  'call.escalate': (context, { call: id }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    context.calls.apply(id, { type: 'escalated' })
    return ok({})
  },
}

function join(context: RequestContext, id: CallId, media: CallMedia): Joined {
  const { at } = context
  return takeSeat(context, id, (participant) => ({
    type: 'joined',
    participant,
    at,
    sending: sendingOf(media),
  }))
}

function accept(context: RequestContext, id: CallId, media: CallMedia): Joined {
  const { at } = context
  return takeSeat(context, id, (participant) => ({
    type: 'accepted',
    participant,
    at,
    sending: sendingOf(media),
  }))
}

/** Who is asked into which call, and with what. */
interface Invited {
  readonly id: CallId
  readonly users: readonly UserId[]
  readonly media: CallMedia
  readonly payload: string | undefined
}

function invite(
  { calls, at, env, ringTimeoutMs }: RequestContext,
  { id, media, payload }: Invited,
  users: readonly Invitee[],
): void {
  const deadline = env.now() + ringTimeoutMs
  calls.apply(id, { type: 'invited', by: at.user, media, payload, users, deadline })
}

/** How each user stands now. */
function inviteesOf(
  context: RequestContext,
  users: readonly UserId[],
  wakeable: ReadonlySet<UserId>,
): Invitee[] {
  return [...new Set(users)].map((user): Invitee => {
    const invitee = inviteeOf(context, user)
    const wakes = invitee.outcome === 'unreachable' && wakeable.has(user)
    return wakes ? { user, outcome: 'wake' } : invitee
  })
}

function isReachable({ outcome }: Invitee): boolean {
  return outcome !== 'unreachable'
}

/** Who called in vain has called all the same. */
function refuseOffline(
  { people, directory, env, at }: RequestContext,
  { id, users, media, payload }: Invited,
) {
  // While other processes cannot be seen the answer is 'try again', and nothing was missed yet.
  const known = directory.seesNeighbours ? new Set(users) : []
  for (const user of known) {
    const words = { call: id, from: at.user, media, at: env.now(), reason: 'unreachable' } as const
    people.leaveMissed(user, payload === undefined ? words : { ...words, payload })
  }
  return fail('user-offline', { field: 'data.users' })
}

function refuseAnswer(call: Call, { at }: RequestContext): Joined {
  const seat = participantAt(call, at)
  if (seat) return ok({ call: viewFor(call, at), participant: seat.id })
  const elsewhere = call.participants.some(({ user }) => user === at.user)
  return fail(elsewhere ? 'answered-elsewhere' : 'not-ringing', { field: 'data.call' })
}
