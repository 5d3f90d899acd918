import type {
  Call,
  CallId,
  CallMedia,
  ClientRequestResult,
  DeviceId,
  Invitee,
  ParticipantId,
  Result,
  UserId,
} from '@parley/protocol'
import { fail, limits, ok, participantAt, viewFor } from '@parley/protocol'
import { mayModerate, mayPublishAll } from '../core/grants.ts'
import type { RequestContext } from './context.ts'

/** Bytes of randomness in ids that the server makes. */
export const ID_BYTES = 12

/** The answer of a request that gives a seat. */
export type Joined = Result<ClientRequestResult<'call.start'>>

/** Seats the device that asks; `enter` applies the event that does it, with the new seat's id. */
export function takeSeat(
  context: RequestContext,
  id: CallId,
  enter: (participant: ParticipantId) => Parameters<RequestContext['calls']['apply']>[1],
): Joined {
  const participant = newParticipantId(context)
  context.calls.apply(id, enter(participant))
  noteToken(context, id, participant)
  // What goes from device to device cannot be stopped from here.
  if (!mayPublishAll(context.grants)) context.calls.apply(id, { type: 'escalated' })
  holdOthers(context, id)
  const call = context.calls.find(id)
  return call ? ok({ call: viewFor(call, context.at), participant }) : fail('call-not-found')
}

/** A seat's holder moderates the call where his token says so. */
export function noteToken(
  { calls, grants }: Pick<RequestContext, 'calls' | 'grants'>,
  id: CallId,
  participant: ParticipantId,
): void {
  const call = calls.find(id)
  if (!call) return
  const moderates = mayModerate(grants, call.room)
  calls.apply(id, { type: 'tokenModerates', participant, moderates })
}

/** A device is active in one call at most: its others are put on hold. */
export function holdOthers({ calls, at }: Pick<RequestContext, 'calls' | 'at'>, id: CallId): void {
  for (const call of calls.ofDevice(at)) {
    const seat = participantAt(call, at)
    if (call.id === id || !seat) continue
    calls.apply(call.id, { type: 'holdChanged', participant: seat.id, onHold: true })
  }
}

export function endOthers({ calls, at }: RequestContext, id: CallId): void {
  for (const call of calls.ofDevice(at)) {
    const seat = participantAt(call, at)
    if (call.id === id || !seat) continue
    calls.apply(call.id, { type: 'left', participant: seat.id, reason: 'hangup' })
  }
}

/** Finds out how a user can be rung: on the devices that take a call now. */
export function inviteeOf(
  { callsOf, directory }: RequestContext,
  user: UserId,
  devices: readonly DeviceId[] = directory.connectedDevices(user),
): Invitee {
  const takesCall = (device: DeviceId) => {
    const at = { user, device }
    const held = callsOf(at).size
    return held === 0 || (held < limits.callsPerDevice && directory.callWaiting(at) === 'ring')
  }
  const free = devices.filter(takesCall)
  if (devices.length === 0) return { user, outcome: 'unreachable' }
  return free.length > 0 ? { user, outcome: 'ring', devices: free } : { user, outcome: 'busy' }
}

/** Those of the users whom nobody connected stands for, and whom something may wake. */
export async function findWakeable(
  context: RequestContext,
  users: readonly UserId[],
): Promise<ReadonlySet<UserId>> {
  const away = users.filter((user) => context.directory.connectedDevices(user).length === 0)
  return away.length === 0 ? new Set() : context.people.waker.wakeable(away)
}

export function refuseFullCall({ participants }: Call) {
  const limit = limits.participantsPerCall
  return participants.length >= limit ? fail('call-full', { limit }) : undefined
}

/** One more call than this and the device would lose sight of them. */
export function refuseMoreCalls({ callsOf, at }: RequestContext) {
  const limit = limits.callsPerDevice
  return callsOf(at).size >= limit ? fail('too-many-calls', { limit }) : undefined
}

export function newParticipantId({ env }: Pick<RequestContext, 'env'>): ParticipantId {
  // Made here, so it has the shape that the brand stands for.
  return env.randomId(ID_BYTES) as ParticipantId
}

export function sendingOf({ audio, video }: CallMedia) {
  return { microphone: audio, camera: video, screen: false }
}
