import type {
  Call,
  CallMedia,
  ClientRequestResult,
  Participant,
  Result,
  UserId,
} from '@parley/protocol'
import { entryOf, fail, limits, ok } from '@parley/protocol'
import { matchesRoom, mayModerate, mayPublishAll } from '../core/grants.ts'
import type { RequestContext } from './context.ts'
import { holdOthers, newParticipantId } from './seating.ts'

interface Seated {
  readonly call: Call
  readonly seat: Participant
}

/** Whether the one who asks moderates a call: by his token, or as its people have it. */
export function moderatesHere({ at, grants }: RequestContext, { policy, room }: Call): boolean {
  return mayModerate(grants, room) || policy.moderators.includes(at.user)
}

/** Who moderates a call that begins now, besides those whose tokens say so. */
export function startersOf({ at, grants }: RequestContext): {
  readonly moderators: readonly UserId[]
} {
  return { moderators: grants.host ? [at.user] : [] }
}

/** The answer to a newcomer who does not come in now; `undefined` where he may. */
export function refuseEntry(
  context: RequestContext,
  call: Call,
  media: CallMedia,
): Result<ClientRequestResult<'room.join'>> | undefined {
  const { at, calls, grants } = context
  switch (entryOf(call, { ...at, moderates: mayModerate(grants, call.room) })) {
    case 'enter':
      return undefined
    case 'locked':
      return fail('call-locked')
    case 'lobby-full':
      return fail('lobby-full', { limit: limits.waitingPerCall })
    case 'wait': {
      calls.apply(call.id, { type: 'knocked', at, media, direct: mayPublishAll(grants) })
      const { id, room } = call
      return ok({ waiting: { call: id, ...(room !== undefined && { room }) } })
    }
  }
}

/** All devices of a call encrypt end to end, or none does: one of the others would hear nothing. */
export function refuseMixing({ policy }: Call, encrypted = false) {
  if (policy.encrypted === encrypted) return undefined
  return fail(policy.encrypted ? 'encryption-required' : 'call-not-encrypted')
}

/** Whom a moderator has kept out, only a moderator asks in. */
export function refuseInviting(
  context: RequestContext,
  { call }: Pick<Seated, 'call'>,
  users: readonly UserId[],
) {
  if (moderatesHere(context, call)) return undefined
  if (call.policy.locked) return fail('call-locked')
  const isKeptOut = call.policy.lobby || users.some((user) => call.policy.removed.includes(user))
  return isKeptOut ? fail('not-moderator') : undefined
}

/** Whoever is brought into a call from another one must be let into this one as if he came himself. */
export function refuseBringing(
  context: RequestContext,
  { call }: Pick<Seated, 'call'>,
  people: readonly Participant[],
) {
  const { room, policy } = call
  const isAllowed = (one: Participant) =>
    room === undefined || matchesRoom(context.directory.grantsOf(one).rooms, room)
  if (!people.every(isAllowed)) {
    const message = 'The token of somebody who would be brought does not grant "rooms".'
    return fail('not-permitted', { message, field: 'data.into' })
  }
  // Removed people are brought by nobody: they have to be let in one by one.
  if (people.some(({ user }) => policy.removed.includes(user))) {
    return fail('not-permitted', { message: 'Somebody was removed there.', field: 'data.into' })
  }
  const users = people.map(({ user }) => user)
  return refuseInviting(context, { call }, users)
}

/** Gives a user who waits his seats. */
export function admit(
  context: RequestContext,
  call: Call,
  user: UserId,
): Result<Record<string, never>> {
  const { calls } = context
  const waiting = call.waiting.filter((waiter) => waiter.user === user)
  if (waiting.length === 0) return fail('not-waiting', { field: 'data.user' })
  const limit = limits.participantsPerCall
  if (call.participants.length + waiting.length > limit) return fail('call-full', { limit })
  const seats = waiting.map(({ device }) => ({
    participant: newParticipantId(context),
    at: { user, device },
  }))
  calls.apply(call.id, { type: 'admitted', user, seats })
  // What goes from device to device cannot be stopped from here.
  if (!waiting.every(({ direct }) => direct)) calls.apply(call.id, { type: 'escalated' })
  for (const { at } of seats) holdOthers({ calls, at }, call.id)
  return ok({})
}
