import type {
  Call,
  CallEffect,
  CallEvent,
  EndReason,
  Invitation,
  Millis,
  MissedReason,
  Participant,
  PendingInvite,
  Step,
  UserId,
} from '@parley/protocol'
import { isPending } from '@parley/protocol'

/** What happened to a call, for whoever is told of calls: the app, the records, the mailboxes. */
export type CallFact = {
  readonly call: Call
  readonly at: Millis
} & (
  | { readonly type: 'started' }
  | { readonly type: 'joined'; readonly participant: Participant }
  | { readonly type: 'left'; readonly participant: Participant; readonly reason: EndReason }
  | { readonly type: 'answered' }
  /** Somebody is asked to join, and can still answer until `deadline`. */
  | {
      readonly type: 'rung'
      readonly user: UserId
      readonly invitation: Invitation
      readonly deadline: Millis
    }
  | {
      readonly type: 'missed'
      readonly user: UserId
      readonly invitation: Invitation
      readonly reason: MissedReason
    }
  | { readonly type: 'ended'; readonly reason: EndReason }
)

/** The facts of one step of the call machine, in the order in which one would tell them. */
export function callFacts(
  before: Call,
  event: CallEvent,
  { state: after, effects }: Step<Call, CallEffect>,
  at: Millis,
): readonly CallFact[] {
  const about = { call: after, at }
  const come = after.participants.filter(({ id }) => !isAmong(before.participants, id))
  const gone = before.participants.filter(({ id }) => !isAmong(after.participants, id))
  const facts: CallFact[] = []
  const isFirst = before.participants.length === 0 && come.length > 0
  if (isFirst) facts.push({ ...about, type: 'started' })
  for (const participant of come) facts.push({ ...about, type: 'joined', participant })
  if (!before.answered && after.answered) facts.push({ ...about, type: 'answered' })
  for (const invite of after.invites.filter(isPending).filter(isOfAnother)) {
    const known = before.invites.some((i) => i.user === invite.user && isPending(i))
    const { user, by, media, payload, deadline } = invite
    const invitation = { by, media, payload }
    if (!known) facts.push({ ...about, type: 'rung', user, invitation, deadline })
  }
  facts.push(...missed(before, event, after, at).map((fact) => ({ ...about, ...fact })))
  for (const participant of gone) {
    facts.push({
      ...about,
      type: 'left',
      participant,
      reason: reasonFor(participant, effects, event),
    })
  }
  if (before.phase !== 'ended' && after.phase === 'ended') {
    const last = gone.at(-1)
    const reason = last ? reasonFor(last, effects, event) : 'hangup'
    facts.push({ ...about, type: 'ended', reason })
  }
  return facts
}

function missed(before: Call, event: CallEvent, after: Call, at: Millis) {
  const atOnce = event.type === 'invited' ? missedAtOnce(before, event) : []
  const later = before.invites
    .filter(isPending)
    .filter(isOfAnother)
    .flatMap((invite) => {
      const { user, by, media, payload } = invite
      const now = after.invites.find((i) => i.user === user)
      if (now && isPending(now)) return []
      const joined = after.participants.some((p) => p.user === user)
      const declined = event.type === 'declined' && event.at.user === user
      if (joined || declined || now?.state === 'declined') return []
      // A call that is over has forgotten its invitations.
      const reason = now?.state ?? reasonInTheEnd(event, invite, at)
      return [{ user, reason, invitation: { by, media, payload } }]
    })
  return [...atOnce, ...later].map((fact) => ({ type: 'missed' as const, ...fact }))
}

function missedAtOnce(
  before: Call,
  { users, by, media, payload }: Extract<CallEvent, { type: 'invited' }>,
) {
  return users.flatMap(({ user, outcome }) => {
    if (outcome !== 'busy' && outcome !== 'unreachable') return []
    const isHere = before.participants.some((p) => p.user === user)
    const isRung = before.invites.some((i) => i.user === user && isPending(i))
    return isHere || isRung ? [] : [{ user, reason: outcome, invitation: { by, media, payload } }]
  })
}

function reasonInTheEnd(event: CallEvent, invite: PendingInvite, at: Millis): MissedReason {
  switch (event.type) {
    case 'tick':
      if (invite.deadline > at) return 'cancelled'
      return invite.state === 'waking' ? 'unreachable' : 'no-answer'
    case 'deviceGone':
      return event.at.user === invite.user ? 'unreachable' : 'cancelled'
    case 'wakeFailed':
      return event.user === invite.user ? 'unreachable' : 'cancelled'
    default:
      return 'cancelled'
  }
}

/** A call that moves rings another device of somebody who is in it. */
function isOfAnother({ offer }: PendingInvite): boolean {
  return offer?.how !== 'moved'
}

/** What the leaver was told; his word is the last that the step has for him. */
function reasonFor(
  { user, device }: Participant,
  effects: readonly CallEffect[],
  event: CallEvent,
): EndReason {
  const told = effects.findLast(
    (e) => e.type === 'endFor' && e.to.user === user && e.to.device === device,
  )
  if (told?.type === 'endFor') return told.reason
  // Whoever goes on in another call hears of that one instead.
  return event.type === 'handedOver' ? 'transferred' : 'hangup'
}

function isAmong(participants: readonly Participant[], id: Participant['id']): boolean {
  return participants.some((p) => p.id === id)
}
