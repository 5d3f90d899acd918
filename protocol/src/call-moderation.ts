import { silencedOf, waiterAt } from './call-policy.ts'
import type { CallPolicy, Silence } from './call-policy.ts'
import { participantAt, participantById, ringingDevices } from './call-state.ts'
import type { Call, CallEffect, CallEventOf, Participant } from './call-state.ts'
import { seated, seatOf } from './call-seats.ts'
import { audienceChanged, changeParticipant, vacate } from './call-steps.ts'
import type { CallStep } from './call-steps.ts'
import type { Publication } from './call-view.ts'
import type { Millis, UserId } from './ids.ts'
import { limits } from './limits.ts'
import { stay, unreachable } from './step.ts'

/** What moderators do, and what those do who wait for them. */
export type ModerationEvent = CallEventOf<
  | 'knocked'
  | 'unknocked'
  | 'admitted'
  | 'denied'
  | 'removed'
  | 'moderatorChanged'
  | 'silenceChanged'
  | 'policyChanged'
  | 'tokenModerates'
>

/** The part of the call machine that decides who comes in, who goes, and who is heard. */
export function moderation(state: Call, event: ModerationEvent, now: Millis): CallStep {
  switch (event.type) {
    case 'knocked':
      return onKnocked(state, event, now)
    case 'unknocked':
      return updated(state, {
        waiting: state.waiting.filter((w) => w !== waiterAt(state, event.at)),
      })
    case 'admitted':
      return onAdmitted(state, event, now)
    case 'denied':
      return onDenied(state, event.user)
    case 'removed':
      return onRemoved(state, event.user, now)
    case 'moderatorChanged':
      return onModeratorChanged(state, event)
    case 'silenceChanged':
      return onSilenceChanged(state, event)
    case 'policyChanged':
      return onPolicyChanged(state, event)
    case 'tokenModerates': {
      const seat = participantById(state, event.participant)
      if ((seat?.moderates ?? false) === event.moderates) return stay(state)
      return changeParticipant(state, event.participant, { moderates: event.moderates })
    }
    default:
      return unreachable(event)
  }
}

/** Streams that may not be heard or seen are paused, whatever their sender asked for. */
export function withSilence(
  { policy }: Call,
  { user, id }: Participant,
  publications: readonly Publication[],
): { readonly publications: readonly Publication[]; readonly effects: readonly CallEffect[] } {
  const silenced = silencedOf(policy, user)
  const loud = publications.filter(({ source, paused }) => !paused && silenced.includes(source))
  return {
    publications: publications.map((p) => (loud.includes(p) ? { ...p, paused: true } : p)),
    effects: loud.map(({ producer, epoch }) => ({
      type: 'pauseProducer',
      participant: id,
      producer,
      epoch,
    })),
  }
}

function onKnocked(state: Call, { at, media, direct }: CallEventOf<'knocked'>, now: Millis) {
  const isIn = state.participants.some(({ user }) => user === at.user)
  const isFull = state.waiting.length >= limits.waitingPerCall
  if (isIn || waiterAt(state, at) || isFull) return stay(state)
  const { user, device } = at
  const waiter = { user, device, media, since: now, direct }
  return updated(state, { waiting: [...state.waiting, waiter] })
}

function onAdmitted(state: Call, { user, seats }: CallEventOf<'admitted'>, now: Millis): CallStep {
  const newcomers = seats.flatMap(({ participant, at }) => {
    const waiter = waiterAt(state, at)
    if (waiter?.user !== user || participantAt(state, at)) return []
    const { audio, video } = waiter.media
    const sending = { microphone: audio, camera: video, screen: false }
    return [seatOf({ participant, at: { user, device: waiter.device }, sending })]
  })
  if (newcomers.length === 0) return stay(state)
  const policy = without(state.policy, 'removed', user)
  const [taken, effects] = seated({ ...state, policy }, newcomers)
  const admissions = newcomers.map((to): CallEffect => ({
    type: 'admit',
    to,
    participant: to.id,
  }))
  return audienceChanged(taken, [...effects, ...admissions], now)
}

function onDenied(state: Call, user: UserId): CallStep {
  const denied = state.waiting.filter((w) => w.user === user)
  const effects = denied.map((to): CallEffect => ({ type: 'endFor', to, reason: 'denied' }))
  return updated(state, { waiting: state.waiting.filter((w) => w.user !== user) }, effects)
}

/** All that a user has in the call is taken away: seats, rings and his place in the lobby. */
function onRemoved(state: Call, user: UserId, now: Millis): CallStep {
  const seats = state.participants.filter((p) => p.user === user)
  const rung = state.invites.filter((i) => i.user === user)
  const waiting = state.waiting.filter((w) => w.user === user)
  if (seats.length + rung.length + waiting.length === 0) return stay(state)
  const removed = lastOf([...state.policy.removed.filter((one) => one !== user), user])
  let rest: Call = {
    ...state,
    invites: state.invites.filter((i) => i.user !== user),
    waiting: state.waiting.filter((w) => w.user !== user),
    policy: { ...without(state.policy, 'moderators', user), removed },
  }
  const effects: CallEffect[] = [
    ...rung
      .flatMap(ringingDevices)
      .map((to): CallEffect => ({ type: 'endFor', to, reason: 'cancelled' })),
    ...waiting.map((to): CallEffect => ({ type: 'endFor', to, reason: 'removed' })),
  ]
  for (const seat of seats) {
    const vacated = vacate(rest, seat, 'removed')
    rest = vacated.state
    effects.push(...vacated.effects)
  }
  return audienceChanged(rest, effects, now)
}

function onModeratorChanged(state: Call, { user, on }: CallEventOf<'moderatorChanged'>): CallStep {
  const { moderators } = state.policy
  if (moderators.includes(user) === on) return stay(state)
  if (!on) return updated(state, { policy: without(state.policy, 'moderators', user) })
  if (!state.participants.some((p) => p.user === user)) return stay(state)
  return updated(state, { policy: { ...state.policy, moderators: lastOf([...moderators, user]) } })
}

function onSilenceChanged(
  state: Call,
  { user, sources, on }: CallEventOf<'silenceChanged'>,
): CallStep {
  const before = silencedOf(state.policy, user)
  const after = on
    ? [...new Set([...before, ...sources])]
    : before.filter((source) => !sources.includes(source))
  if (after.length === before.length) return stay(state)
  const others = state.policy.silenced.filter((one) => one.user !== user)
  const own: readonly Silence[] = after.length === 0 ? [] : [{ user, sources: after }]
  const policy = { ...state.policy, silenced: lastOf([...others, ...own]) }
  const next = { ...state, policy }
  const effects: CallEffect[] = []
  const participants = state.participants.map((seat) => {
    const hushed = withSilence(next, seat, seat.publications)
    effects.push(...hushed.effects)
    return hushed.effects.length > 0 ? { ...seat, publications: hushed.publications } : seat
  })
  return updated(next, { participants }, effects)
}

function onPolicyChanged(state: Call, event: CallEventOf<'policyChanged'>): CallStep {
  const { locked = state.policy.locked, lobby = state.policy.lobby } = event
  if (locked === state.policy.locked && lobby === state.policy.lobby) return stay(state)
  return updated(state, { policy: { ...state.policy, locked, lobby } })
}

function without(policy: CallPolicy, list: 'moderators' | 'removed', user: UserId): CallPolicy {
  return { ...policy, [list]: policy[list].filter((one) => one !== user) }
}

function lastOf<T>(list: readonly T[]): readonly T[] {
  return list.slice(-limits.policyPeople)
}

/** Tells everybody, unless nothing is different. */
function updated(
  state: Call,
  change: Partial<Pick<Call, 'policy' | 'waiting' | 'participants'>>,
  effects: readonly CallEffect[] = [],
): CallStep {
  const waits = change.waiting?.length === state.waiting.length
  if (waits && change.policy === undefined && change.participants === undefined) return stay(state)
  return { state: { ...state, ...change }, effects: [...effects, { type: 'update' }] }
}
