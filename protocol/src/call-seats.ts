import {
  MOVE_DEADLINE_MS,
  participantAt,
  participantById,
  ringingDevices,
  ringsAt,
} from './call-state.ts'
import type { Call, CallEffect, CallEventOf, Invite, Newcomer, Participant } from './call-state.ts'
import { audienceChanged, closePeer, end, prepend, vacate } from './call-steps.ts'
import type { CallStep } from './call-steps.ts'
import type { Millis } from './ids.ts'
import { stay } from './step.ts'

export function onJoined(state: Call, event: CallEventOf<'joined'>, now: Millis): CallStep {
  const isRemoved = state.policy.removed.includes(event.at.user)
  if (isRemoved || participantAt(state, event.at)) return stay(state)
  const { replaces } = event
  const old = replaces && participantById(state, replaces)
  const taken = state.participants.some((p) => p.moving?.from === old?.id)
  // A seat that is itself on the move, or that moves already, is joined beside.
  const moves = old?.user === event.at.user && !old.moving && !taken
  const newcomer = seatOf(event)
  const seat = moves
    ? { ...newcomer, moving: { from: old.id, deadline: now + MOVE_DEADLINE_MS } }
    : newcomer
  return audienceChanged(...seated(state, [seat]), now)
}

export function onAccepted(state: Call, event: CallEventOf<'accepted'>, now: Millis): CallStep {
  // The compare-and-set: being seated takes the invitation away from the user's other devices.
  if (!ringsAt(state, event.at) || participantAt(state, event.at)) return stay(state)
  const offer = state.invites.find(
    (i) => ringingDevices(i).length > 0 && i.user === event.at.user,
  )?.offer
  const giver = offer && participantById(state, offer.by)
  if (!offer || !giver) return onJoined(state, { ...event, type: 'joined' }, now)
  if (offer.how === 'moved') {
    return onJoined(state, { ...event, type: 'joined', replaces: giver.id }, now)
  }
  const vacated = vacate(state, giver, 'transferred')
  const [taken, effects] = seated(vacated.state, [seatOf(event)])
  return audienceChanged(taken, [...vacated.effects, ...effects], now)
}

export function onLeft(
  state: Call,
  { participant, reason }: CallEventOf<'left'>,
  now: Millis,
): CallStep {
  const leaver = participantById(state, participant)
  if (!leaver) return stay(state)
  const unanswered = state.room === undefined && !state.answered
  const heard = reason === 'hangup' && unanswered ? 'cancelled' : reason
  const { state: rest, effects } = vacate(state, leaver, heard)
  return audienceChanged(rest, effects, now, reason === 'failed' ? 'failed' : 'hangup')
}

export function onReseated(
  state: Call,
  { participant, as, sending }: CallEventOf<'reseated'>,
  now: Millis,
): CallStep {
  if (!participantById(state, participant) || participantById(state, as)) return stay(state)
  const participants = state.participants.map((p): Participant => {
    if (p.id === participant)
      return { ...p, id: as, connected: true, leaving: false, sending, publications: [] }
    // A move away from the seat goes on from its new one.
    return p.moving?.from === participant ? { ...p, moving: { ...p.moving, from: as } } : p
  })
  const invites = state.invites.map((invite): Invite =>
    invite.offer?.by === participant ? { ...invite, offer: { ...invite.offer, by: as } } : invite,
  )
  return audienceChanged({ ...state, participants, invites }, closePeer(state, participant), now)
}

export function onSettled(
  state: Call,
  { participant }: CallEventOf<'settled'>,
  now: Millis,
): CallStep {
  const seat = participantById(state, participant)
  const old = seat?.moving && participantById(state, seat.moving.from)
  if (!old) return stay(state)
  const { state: rest, effects } = vacate(state, old, 'moved')
  return audienceChanged(rest, effects, now)
}

/** A device that has no media in time gives up; the call stays where it was. */
export function giveUpOverdueMoves(state: Call, now: Millis): CallStep {
  const overdue = state.participants.filter((p) => p.moving && p.moving.deadline <= now)
  if (overdue.length === 0) return stay(state)
  let step: CallStep = { state, effects: [] }
  for (const seat of overdue) step = prepend(step.effects, vacate(step.state, seat, 'failed'))
  return audienceChanged(step.state, step.effects, now)
}

export function onHandedOver(state: Call, { by, brought }: CallEventOf<'handedOver'>): CallStep {
  if (!participantById(state, by)) return stay(state)
  // Who is brought over hears of it by his new call; who is in that one already goes on there.
  const participants = state.participants.filter(({ id }) => id === by || !brought.includes(id))
  return end({ ...state, participants }, 'transferred')
}

export function onTookOver(
  state: Call,
  { by, from, seats }: CallEventOf<'tookOver'>,
  now: Millis,
): CallStep {
  const fresh = seats.filter(
    ({ at }) => !participantAt(state, at) && !state.policy.removed.includes(at.user),
  )
  const giver = participantById(state, by)
  if (!giver || fresh.length === 0) return stay(state)
  const vacated = vacate(state, giver, 'transferred')
  const newcomers = fresh.map((seat) => ({
    ...seatOf(seat),
    connected: seat.connected,
    onHold: seat.onHold,
  }))
  const [taken, effects] = seated(vacated.state, newcomers)
  const transfers = newcomers.map((to): CallEffect => ({
    type: 'transfer',
    to,
    from,
    participant: to.id,
  }))
  return audienceChanged(taken, [...vacated.effects, ...effects, ...transfers], now)
}

export function seatOf({ participant, at, sending }: Newcomer): Participant {
  return {
    id: participant,
    user: at.user,
    device: at.device,
    connected: true,
    onHold: false,
    sending,
    publications: [],
  }
}

/**
 * Seats newcomers. Who comes in by himself answers, too, what rings for him on any of his devices, and
 * need not wait on another.
 */
export function seated(
  state: Call,
  newcomers: readonly Participant[],
): [state: Call, effects: readonly CallEffect[]] {
  const isNew = (user: string) => newcomers.some((newcomer) => newcomer.user === user)
  const rung = state.invites.filter(({ user }) => isNew(user)).flatMap(ringingDevices)
  const waited = state.waiting.filter(({ user }) => isNew(user))
  const others = [...rung, ...waited].filter(
    ({ device }) => !newcomers.some((n) => n.device === device),
  )
  const joined: Call = {
    ...state,
    answered: state.answered || rung.length > 0,
    participants: [...state.participants, ...newcomers],
    invites: state.invites.filter(({ user }) => !isNew(user)),
    waiting: state.waiting.filter(({ user }) => !isNew(user)),
  }
  return [
    joined,
    others.map((to): CallEffect => ({ type: 'endFor', to, reason: 'answered-elsewhere' })),
  ]
}
