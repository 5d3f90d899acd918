import type { Call, CallId, ParticipantId, Result, ServerEvent } from '@parley/protocol'
import { ok, participantById } from '@parley/protocol'
import { commit, commitsSince, create, offer, reset } from '../core/delivery.ts'
import type { Delivery } from '../core/delivery.ts'
import { seatOf } from './context.ts'
import type { Handlers, RequestContext } from './context.ts'

/** Requests of the groups' delivery service: it orders and forwards what it cannot read. */
export const mlsRequests: Handlers<
  'mls.offer' | 'mls.create' | 'mls.commit' | 'mls.fetch' | 'mls.message' | 'mls.reset'
> = {
  'mls.offer': (context, { call: id, keyPackage }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { call, seat } = found.data
    const state = offer(context.deliveries.of(id), seat.id, keyPackage)
    context.deliveries.set(id, state)
    const data = { call: id, participant: seat.id, keyPackage }
    tellOthers(context, call, seat.id, { type: 'mls.waiting', data })
    return ok({ ...statusOf(state), waiting: waitingOf(state, seat.id) })
  },

  'mls.create': (context, { call: id, generation, epoch, groupInfo }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { call, seat } = found.data
    const first = { from: seat.id, generation, epoch, groupInfo }
    return settle(context, id, create(context.deliveries.of(id), first), () => {
      const data = { call: id, generation, epoch, from: seat.id }
      tellOthers(context, call, seat.id, { type: 'mls.created', data })
    })
  },

  'mls.commit': (context, data) => {
    const { call: id, generation, epoch, welcome, added, groupInfo } = data
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { call, seat } = found.data
    const ordered = commit(context.deliveries.of(id), { ...data, from: seat.id })
    return settle(context, id, ordered, () => {
      const winner = { call: id, generation, epoch, from: seat.id, commit: data.commit }
      tellAll(context, call, { type: 'mls.commit', data: winner })
      if (welcome === undefined) return
      // Named twice, he is told once: an answer must not outgrow its request.
      for (const participant of new Set(added)) {
        const to = participantById(call, participant)
        const entry = { call: id, generation, epoch: epoch + 1, welcome, groupInfo }
        if (to) context.directory.tell(to, { type: 'mls.welcome', data: entry })
      }
    })
  },

  'mls.fetch': (context, { call: id, since }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const state = context.deliveries.of(id)
    const { group } = state
    const commits = group && since !== null ? commitsSince(group, since) : []
    return ok({
      ...statusOf(state),
      waiting: waitingOf(state, found.data.seat.id),
      commits: [...commits],
      groupInfo: group?.groupInfo ?? null,
    })
  },

  'mls.message': (context, { call: id, generation, message }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { call, seat } = found.data
    const data = { call: id, generation, from: seat.id, message }
    tellOthers(context, call, seat.id, { type: 'mls.message', data })
    return ok({})
  },

  'mls.reset': (context, { call: id, generation }) => {
    const found = seatOf(context, id)
    if (!found.ok) return found
    const { call, seat } = found.data
    return settle(context, id, reset(context.deliveries.of(id), generation), (state) => {
      context.log.warn({ call: id, participant: seat.id }, 'group was reset')
      tellAll(context, call, {
        type: 'mls.reset',
        data: { call: id, generation: state.generation },
      })
    })
  },
}

/** Keeps the new state, if there is one, and lets `then` tell of it. */
function settle(
  { deliveries }: RequestContext,
  id: CallId,
  result: Result<Delivery>,
  then: (state: Delivery) => void,
): Result<Record<string, never>> {
  if (!result.ok) return result
  deliveries.set(id, result.data)
  then(result.data)
  return ok({})
}

function statusOf({ generation, group }: Delivery) {
  return { generation, epoch: group?.epoch ?? null }
}

function waitingOf({ waiting }: Delivery, asker: ParticipantId) {
  return [...waiting]
    .filter(([participant]) => participant !== asker)
    .map(([participant, keyPackage]) => ({ participant, keyPackage }))
}

function tellAll({ directory }: RequestContext, call: Call, event: ServerEvent): void {
  for (const to of call.participants) directory.tell(to, event)
}

function tellOthers(
  { directory }: RequestContext,
  call: Call,
  self: ParticipantId,
  event: ServerEvent,
): void {
  for (const to of call.participants) if (to.id !== self) directory.tell(to, event)
}
