import { moderation, withSilence } from './call-moderation.ts'
import type { Publication } from './call-view.ts'
import type { Call, CallEffect, CallEvent, CallEventOf } from './call-state.ts'
import { isPending, participantById } from './call-state.ts'
import {
  onDeclined,
  onDeviceCame,
  onDeviceGone,
  onInvited,
  onOffered,
  onUninvited,
  onWakeFailed,
  stopOverdueRings,
} from './call-ring.ts'
import {
  giveUpOverdueMoves,
  onAccepted,
  onHandedOver,
  onJoined,
  onLeft,
  onReseated,
  onSettled,
  onTookOver,
} from './call-seats.ts'
import { changeParticipant, end, ids, moveTopology, prepend } from './call-steps.ts'
import type { CallStep } from './call-steps.ts'
import type { Millis } from './ids.ts'
import { stay, unreachable } from './step.ts'
import type { Step } from './step.ts'
import { topologyDeadline } from './topology.ts'

/** The machine. An event that makes no sense in a state changes nothing. */
export function call(state: Call, event: CallEvent, now: Millis): Step<Call, CallEffect> {
  if (state.phase === 'ended') return stay(state)
  switch (event.type) {
    case 'joined':
      return onJoined(state, event, now)
    case 'invited':
      return onInvited(state, event)
    case 'offered':
      return onOffered(state, event)
    case 'uninvited':
      return onUninvited(state, event.user)
    case 'accepted':
      return onAccepted(state, event, now)
    case 'reseated':
      return onReseated(state, event, now)
    case 'declined':
      return onDeclined(state, event.at)
    case 'left':
      return onLeft(state, event, now)
    case 'holdChanged':
      return onHoldChanged(state, event)
    case 'settled':
      return onSettled(state, event, now)
    case 'handedOver':
      return onHandedOver(state, event)
    case 'tookOver':
      return onTookOver(state, event, now)
    case 'closed':
      return end(state, event.reason)
    case 'deviceCame':
      return onDeviceCame(state, event)
    case 'wakeFailed':
      return onWakeFailed(state, event.user)
    case 'deviceGone':
      return onDeviceGone(state, event.at)
    case 'connectionChanged':
      return changeParticipant(state, event.participant, {
        connected: event.connected,
        leaving: event.leaving ?? false,
      })
    case 'sendingChanged':
      return changeParticipant(state, event.participant, { sending: event.sending })
    case 'handMoved':
      return onHandMoved(state, event, now)
    case 'published':
    case 'publicationPaused':
    case 'unpublished':
      return onPublication(state, event)
    case 'knocked':
    case 'unknocked':
    case 'admitted':
    case 'denied':
    case 'removed':
    case 'moderatorChanged':
    case 'silenceChanged':
    case 'policyChanged':
    case 'tokenModerates':
      return moderation(state, event, now)
    case 'ready':
      if (!participantById(state, event.participant)) return stay(state)
      return moveTopology(state, event, now)
    case 'escalated':
    case 'mediaLost':
      return moveTopology(state, { ...event, participants: ids(state) }, now)
    case 'tick':
      return onTick(state, now)
    default:
      return unreachable(event)
  }
}

/** When `tick` is next due. */
export function callDeadline(state: Call): Millis | undefined {
  if (state.phase === 'ended') return undefined
  const dues = [
    topologyDeadline(state.topology),
    ...state.invites.filter(isPending).map(({ deadline }) => deadline),
    ...state.participants.map(({ moving }) => moving?.deadline),
  ].filter((due) => due !== undefined)
  return dues.length === 0 ? undefined : Math.min(...dues)
}

function onHoldChanged(state: Call, { participant, onHold }: CallEventOf<'holdChanged'>): CallStep {
  if (participantById(state, participant)?.onHold === onHold) return stay(state)
  return changeParticipant(state, participant, { onHold })
}

function onHandMoved(
  state: Call,
  { participant, raised }: CallEventOf<'handMoved'>,
  now: Millis,
): CallStep {
  const before = participantById(state, participant)?.handRaisedAt
  // Raising a hand that is up does not lose its place among the others.
  if ((before !== undefined) === raised) return stay(state)
  return changeParticipant(state, participant, { handRaisedAt: raised ? now : undefined })
}

function onPublication(
  state: Call,
  event: CallEventOf<'published' | 'publicationPaused' | 'unpublished'>,
): CallStep {
  const participant = participantById(state, event.participant)
  if (!participant) return stay(state)
  const next = nextPublications(participant.publications, event)
  const { publications, effects } = withSilence(state, participant, next)
  return prepend(effects, changeParticipant(state, event.participant, { publications }))
}

function nextPublications(
  list: readonly Publication[],
  event: CallEventOf<'published' | 'publicationPaused' | 'unpublished'>,
): readonly Publication[] {
  switch (event.type) {
    case 'published': {
      const { source, epoch } = event.publication
      // A new stream of a source takes the place of the old one on the same node.
      return [...list.filter((p) => p.source !== source || p.epoch !== epoch), event.publication]
    }
    case 'publicationPaused':
      return list.map((p) => (p.producer === event.producer ? { ...p, paused: event.paused } : p))
    case 'unpublished':
      return list.filter((p) => p.producer !== event.producer)
    default:
      return unreachable(event)
  }
}

function onTick(state: Call, now: Millis): CallStep {
  let step: CallStep = stay(state)
  for (const isDue of [stopOverdueRings, giveUpOverdueMoves]) {
    if (step.state.phase === 'open') step = prepend(step.effects, isDue(step.state, now))
  }
  if (step.state.phase === 'ended') return step
  const { sfuOnly } = step.state
  const event = { type: 'tick', participants: ids(step.state), sfuOnly } as const
  return prepend(step.effects, moveTopology(step.state, event, now))
}
