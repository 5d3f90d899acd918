import type {
  Call,
  CallId,
  CallMedia,
  ClientRequestResult,
  Invitee,
  ParticipantId,
  Result,
  UserId,
} from '@parley/protocol'
import { fail, limits, ok, participantAt, participantById, ringsAt, viewOf } from '@parley/protocol'
import { seatOf } from './context.ts'
import type { Handlers, RequestContext } from './context.ts'

/** Bytes of randomness in ids that the server makes. */
const ID_BYTES = 12

type Joined = Result<ClientRequestResult<'call.start'>>

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
  'call.start': (context, { call: id, users, media }) => {
    const { calls, at } = context
    if (users.includes(at.user)) return fail('call-self', { field: 'data.users' })
    if (calls.find(id)) return fail('call-exists', { field: 'data.call' })
    const occupied = refuseSecondCall(context)
    if (occupied) return occupied
    const invitees = inviteesOf(context, users)
    if (invitees.every(({ outcome }) => outcome === 'unreachable')) {
      return fail('user-offline', { field: 'data.users' })
    }
    calls.open({ id, room: undefined, startedBy: at.user, sfuOnly: false })
    const participant = join(context, id, media)
    const seated = calls.find(id)
    // The answer shows the call as the caller left it: with everybody still ringing.
    invite(context, { id, invitees, media })
    const now = calls.find(id) ?? seated
    return now ? ok({ call: viewOf(now), participant }) : fail('internal')
  },

  'call.accept': (context, { call: id, media }) => {
    const { calls, at } = context
    const call = calls.find(id)
    if (!call) return fail('call-not-found', { field: 'data.call' })
    if (!ringsAt(call, at)) return refuseAnswer(call, context)
    const occupied = refuseSecondCall(context)
    if (occupied) return occupied
    const full = refuseFullCall(call)
    if (full) return full
    const participant = newParticipantId(context)
    calls.apply(id, { type: 'accepted', participant, at, sending: sendingOf(media) })
    return joined(context, id, participant)
  },

  'call.decline': ({ calls, at }, { call: id }) => {
    const call = calls.find(id)
    if (!call || !ringsAt(call, at)) return fail('not-ringing', { field: 'data.call' })
    calls.apply(id, { type: 'declined', at })
    return ok({})
  },

  'call.hangup': (context, { call: id }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    context.calls.apply(id, { type: 'left', participant: found.data.seat.id, reason: 'hangup' })
    return ok({})
  },

  'call.invite': (context, { call: id, users, media }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    if (users.includes(context.at.user)) return fail('call-self', { field: 'data.users' })
    const full = refuseFullCall(found.data.call)
    if (full) return full
    const invitees = inviteesOf(context, users)
    if (invitees.every(({ outcome }) => outcome === 'unreachable')) {
      return fail('user-offline', { field: 'data.users' })
    }
    invite(context, { id, invitees, media })
    return ok({})
  },

  'room.join': (context, { room, media, topology }) => {
    const { calls, at, env } = context
    const existing = calls.inRoom(room)
    const seat = existing && participantAt(existing, at)
    if (existing && seat) return joined(context, existing.id, seat.id)
    const refusal = refuseSecondCall(context) ?? (existing && refuseFullCall(existing))
    if (refusal) return refusal
    // Made here, so it has the shape that the brand stands for.
    const id = existing?.id ?? (env.randomId(ID_BYTES) as CallId)
    if (!existing) {
      calls.open({ id, room, startedBy: at.user, sfuOnly: topology === 'sfu' })
    }
    const participant = join(context, id, media)
    if (existing && topology === 'sfu') calls.apply(id, { type: 'escalated' })
    return joined(context, id, participant)
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

function join(context: RequestContext, id: CallId, media: CallMedia): ParticipantId {
  const participant = newParticipantId(context)
  const { calls, at } = context
  calls.apply(id, { type: 'joined', participant, at, sending: sendingOf(media) })
  return participant
}

function joined({ calls }: RequestContext, id: CallId, participant: ParticipantId): Joined {
  const call = calls.find(id)
  return call ? ok({ call: viewOf(call), participant }) : fail('call-not-found')
}

function invite(
  { calls, at, env, ringTimeoutMs }: RequestContext,
  {
    id,
    invitees,
    media,
  }: { readonly id: CallId; readonly invitees: readonly Invitee[]; readonly media: CallMedia },
): void {
  const deadline = env.now() + ringTimeoutMs
  calls.apply(id, { type: 'invited', by: at.user, media, users: invitees, deadline })
}

/** Finds out how each user can be rung; a device that is in a call is not asked. */
function inviteesOf({ calls, directory }: RequestContext, users: readonly UserId[]): Invitee[] {
  return [...new Set(users)].map((user): Invitee => {
    const connected = directory.connectedDevices(user)
    const free = connected.filter((device) => calls.ofDevice({ user, device }) === undefined)
    if (connected.length === 0) return { user, outcome: 'unreachable' }
    return free.length > 0 ? { user, outcome: 'ring', devices: free } : { user, outcome: 'busy' }
  })
}

function refuseAnswer(call: Call, { at }: RequestContext): Joined {
  const seat = participantAt(call, at)
  if (seat) return ok({ call: viewOf(call), participant: seat.id })
  const elsewhere = call.participants.some(({ user }) => user === at.user)
  return fail(elsewhere ? 'answered-elsewhere' : 'not-ringing', { field: 'data.call' })
}

function refuseSecondCall({ calls, at }: RequestContext) {
  return calls.ofDevice(at) && fail('already-in-call')
}

function refuseFullCall({ participants }: Call) {
  const limit = limits.participantsPerCall
  return participants.length >= limit ? fail('call-full', { limit }) : undefined
}

function newParticipantId({ env }: RequestContext): ParticipantId {
  // Made here, so it has the shape that the brand stands for.
  return env.randomId(ID_BYTES) as ParticipantId
}

function sendingOf({ audio, video }: CallMedia) {
  return { microphone: audio, camera: video, screen: false }
}
