import type { CallEffect, Call, Invite, Participant, PendingInvite } from './call-state.ts'
import { isPending, participantById, ringingDevices } from './call-state.ts'
import type { EndReason, InviteState } from './call-view.ts'
import type { Millis, ParticipantId, UserId } from './ids.ts'
import { stay } from './step.ts'
import type { Step } from './step.ts'
import { openEpochs, topology } from './topology.ts'
import type { TopologyEvent } from './topology.ts'

/** What the transitions of a call are made of. */
export type CallStep = Step<Call, CallEffect>

/** After somebody came or went: the path may change, and the call may be over. */
export function audienceChanged(
  state: Call,
  effects: readonly CallEffect[],
  now: Millis,
  lastOneHears: EndReason = 'hangup',
): CallStep {
  const settled = settle(state, effects, lastOneHears)
  if (settled.state.phase === 'ended') return settled
  const { sfuOnly } = state
  const event = { type: 'audienceChanged', participants: ids(state), sfuOnly } as const
  const moved = moveTopology(settled.state, event, now)
  if (moved.effects.length === 0) return settled
  // Both end with `update`; one is enough.
  return prepend(settled.effects.slice(0, -1), moved)
}

/** Ends the call if nobody is left to talk to; else tells everybody what it is now. */
export function settle(
  state: Call,
  effects: readonly CallEffect[],
  lastOneHears: EndReason = 'hangup',
): CallStep {
  if (!isOver(state)) return { state, effects: [...effects, { type: 'update' }] }
  return prepend(effects, end(state, unansweredReason(state) ?? lastOneHears))
}

/** Ends the call for all who are in it. Who is still rung hears that it is cancelled. */
export function end(state: Call, reason: EndReason): CallStep {
  const ringing = state.invites.flatMap(ringingDevices)
  return {
    state: { ...state, phase: 'ended', participants: [], invites: [], waiting: [] },
    effects: [
      ...ringing.map((to): CallEffect => ({ type: 'endFor', to, reason: 'cancelled' })),
      ...state.waiting.map((to): CallEffect => ({ type: 'endFor', to, reason: 'hangup' })),
      ...state.participants.map((to): CallEffect => ({ type: 'endFor', to, reason })),
      ...openEpochs(state.topology).map((epoch): CallEffect => ({ type: 'closeMedia', epoch })),
      { type: 'ended' },
    ],
  }
}

export function moveTopology(state: Call, event: TopologyEvent, now: Millis): CallStep {
  const first = topology(state.topology, event, now)
  if (first.state === state.topology) return stay(state)
  // Somebody may have left while the switch went on: then there are two now, who go back in time.
  const isOver = state.topology.phase === 'switching' && first.state.phase === 'settled'
  const { sfuOnly } = state
  const audience = { type: 'audienceChanged', participants: ids(state), sfuOnly } as const
  const moved = isOver ? topology(first.state, audience, now) : stay(first.state)
  const epochs = openEpochs(moved.state)
  const participants = state.participants.map((p) => ({
    ...p,
    publications: p.publications.filter(({ epoch }) => epochs.includes(epoch)),
  }))
  return {
    state: { ...state, participants, topology: moved.state },
    effects: [...first.effects, ...moved.effects, { type: 'update' }],
  }
}

export function changeParticipant(
  state: Call,
  id: ParticipantId,
  change: Partial<
    Pick<
      Participant,
      'connected' | 'leaving' | 'onHold' | 'sending' | 'handRaisedAt' | 'publications' | 'moderates'
    >
  >,
): CallStep {
  if (!participantById(state, id)) return stay(state)
  const participants = state.participants.map((p) => (p.id === id ? { ...p, ...change } : p))
  return { state: { ...state, participants }, effects: [{ type: 'update' }] }
}

/** Takes a seat away, with what hangs on it; the rest of the call is still to be settled. */
export function vacate(state: Call, seat: Participant, reason: EndReason): CallStep {
  const participant = seat.id
  const dropped = state.invites.filter((i) => isMoveBy(i, participant))
  return {
    state: {
      ...state,
      invites: state.invites.filter((i) => !dropped.includes(i)),
      participants: state.participants
        .filter(({ id }) => id !== participant)
        .map((p) => (p.moving?.from === participant ? withoutMove(p) : p)),
    },
    effects: [
      { type: 'endFor', to: seat, reason },
      ...closePeer(state, participant),
      ...dropped
        .flatMap(ringingDevices)
        .map((to): CallEffect => ({ type: 'endFor', to, reason: 'cancelled' })),
    ],
  }
}

/** The nodes let go of a participant's media. */
export function closePeer(state: Call, participant: ParticipantId): readonly CallEffect[] {
  return openEpochs(state.topology).map((epoch) => ({ type: 'closePeer', participant, epoch }))
}

/** Notes what became of a ringing invitation. */
export function closeInvite(
  state: Call,
  user: UserId,
  outcome: Exclude<InviteState, PendingInvite['state']>,
): Call {
  const invites = state.invites.map((i): Invite => {
    if (i.user !== user || !isPending(i)) return i
    return { user, state: outcome, ...(i.offer && { offer: i.offer }) }
  })
  return { ...state, invites }
}

export function ids(state: Call): readonly ParticipantId[] {
  return state.participants.map(({ id }) => id)
}

export function prepend(effects: readonly CallEffect[], step: CallStep): CallStep {
  return { state: step.state, effects: [...effects, ...step.effects] }
}

function isOver(state: Call): boolean {
  const { participants, invites, room, answered } = state
  if (participants.length === 0) return true
  const users = new Set(participants.map(({ user }) => user))
  if (room !== undefined || users.size > 1) return false
  // The caller joins before the invitations exist; that first moment is not an end.
  if (!answered && invites.length === 0) return false
  return !invites.some((invite) => bringsCompany(state, invite))
}

/** Whether somebody else is there if this invitation is accepted. */
function bringsCompany(state: Call, invite: Invite): boolean {
  const { user, offer } = invite
  if (!isPending(invite) || state.participants.some((p) => p.user === user)) return false
  return !offer || !participantById(state, offer.by)
}

/** Why nobody answered: the most telling outcome among the invited. */
function unansweredReason(state: Call): EndReason | undefined {
  if (state.answered) return undefined
  const outcomes = new Set(state.invites.map((invite) => invite.state))
  if (outcomes.has('declined')) return 'declined'
  if (outcomes.has('busy')) return 'busy'
  return outcomes.size > 0 ? 'no-answer' : undefined
}

function isMoveBy({ offer }: Invite, seat: ParticipantId): boolean {
  return offer?.how === 'moved' && offer.by === seat
}

function withoutMove({ moving: _, ...rest }: Participant): Participant {
  return rest
}
