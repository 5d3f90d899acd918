import type { Millis, ParticipantId } from '@parley/protocol'
import { unreachable } from '@parley/protocol'

/**
 * Silence for this long means that nobody speaks. Longer rides over pauses for breath; shorter frees
 * the stage sooner.
 */
export const SILENCE_MS = 1_500

/** Who speaks in one room. */
export interface Speakers {
  /** Whom the observer last chose; it does not repeat itself when the same person speaks again. */
  readonly dominant: ParticipantId | undefined
  readonly speaking: ParticipantId | undefined
  /** Set from the beginning of a silence until it counts. */
  readonly silentAt: Millis | undefined
}

export type SpeakerEvent =
  | { readonly type: 'dominant'; readonly peer: ParticipantId }
  /** Who is audible, loudest first; never empty. */
  | { readonly type: 'loud'; readonly peers: readonly ParticipantId[] }
  | { readonly type: 'quiet' }
  | { readonly type: 'left'; readonly peer: ParticipantId }
  | { readonly type: 'tick' }

export const noSpeakers: Speakers = {
  dominant: undefined,
  speaking: undefined,
  silentAt: undefined,
}

/** The machine. An event that changes nothing returns the same state. */
export function speakers(state: Speakers, event: SpeakerEvent, now: Millis): Speakers {
  switch (event.type) {
    case 'dominant':
      return { dominant: event.peer, speaking: event.peer, silentAt: undefined }
    case 'loud':
      return onLoud(state, event.peers)
    case 'quiet':
      return state.speaking !== undefined && state.silentAt === undefined
        ? { ...state, silentAt: now + SILENCE_MS }
        : state
    case 'left':
      return onLeft(state, event.peer)
    case 'tick':
      return state.silentAt !== undefined && now >= state.silentAt
        ? { ...state, speaking: undefined, silentAt: undefined }
        : state
    default:
      return unreachable(event)
  }
}

function onLoud(state: Speakers, peers: readonly ParticipantId[]): Speakers {
  if (state.speaking !== undefined) {
    return state.silentAt === undefined ? state : { ...state, silentAt: undefined }
  }
  const speaking =
    state.dominant !== undefined && peers.includes(state.dominant) ? state.dominant : peers[0]
  return speaking === undefined ? state : { ...state, speaking, silentAt: undefined }
}

function onLeft(state: Speakers, peer: ParticipantId): Speakers {
  const dominant = state.dominant === peer ? undefined : state.dominant
  if (state.speaking === peer) return { dominant, speaking: undefined, silentAt: undefined }
  return dominant === state.dominant ? state : { ...state, dominant }
}
