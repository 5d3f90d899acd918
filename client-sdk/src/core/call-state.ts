import type { CallId, CallView, EndReason, ParticipantId, RoomName } from '@parley/protocol'

/** What a call is doing, as apps see it. */
export type CallState =
  'dialing' | 'ringing' | 'waiting' | 'connecting' | 'connected' | 'reconnecting' | 'ended'

/** How this device came to the call. */
export type CallDirection = 'outgoing' | 'incoming' | 'room' | 'joined'

/** What the media of the call is doing. `idle`: there is nobody to exchange media with. */
export type MediaState = 'idle' | 'connecting' | 'connected' | 'interrupted'

/** The call that this device waits to be let into; it sees no more of it. */
export interface Lobby {
  readonly call: CallId
  readonly room?: RoomName | undefined
}

/** Everything that the state of a call follows from. */
export interface CallFacts {
  readonly direction: CallDirection
  /** Our seat; undefined until the server has given one. */
  readonly self: ParticipantId | undefined
  readonly view: CallView | undefined
  /** Set from the first waiting on. */
  readonly lobby?: Lobby | undefined
  /** The app holds the call: from now on it may see states after the first. */
  readonly announced: boolean
  readonly media: MediaState
  /** Media was exchanged with somebody who is still there. */
  readonly hadMedia: boolean
  readonly endReason: EndReason | undefined
}

export function newFacts(direction: CallDirection, view?: CallView): CallFacts {
  return {
    direction,
    self: undefined,
    view,
    announced: false,
    media: 'idle',
    hadMedia: false,
    endReason: undefined,
  }
}

/** Takes in what is new. Once ended, a call stays so, with its first reason. */
export function changeFacts(
  facts: CallFacts,
  change: Partial<Omit<CallFacts, 'direction' | 'hadMedia'>>,
): CallFacts {
  if (facts.endReason !== undefined) return facts
  const next = { ...facts, ...change }
  // With other people the media begins anew, whatever it was with those before.
  if (change.view && isExchanged(facts, next)) {
    return { ...next, media: 'connecting', hadMedia: false }
  }
  const hadMedia = others(next).length > 0 && (facts.hadMedia || next.media === 'connected')
  return { ...next, hadMedia }
}

/** The state that the facts amount to. */
export function callState(facts: CallFacts): CallState {
  if (facts.endReason !== undefined) return 'ended'
  if (facts.lobby && facts.self === undefined) return 'waiting'
  if (facts.direction === 'incoming' && facts.self === undefined) return 'ringing'
  if (facts.direction === 'outgoing' && !facts.announced) return 'dialing'
  if (others(facts).length === 0) return aloneState(facts)
  // Media of a page that goes away is about to stop, whatever the browser still says.
  const allLeave = others(facts).every(({ leaving }) => leaving === true)
  if (facts.media === 'connected' && !allLeave) return 'connected'
  return facts.hadMedia ? 'reconnecting' : 'connecting'
}

/** Why this device's own hang-up ends the call. */
export function hangupReason(facts: CallFacts): EndReason {
  if (facts.direction === 'incoming' && facts.self === undefined) return 'declined'
  const unanswered = facts.direction === 'outgoing' && facts.view?.answered !== true
  return unanswered ? 'cancelled' : 'hangup'
}

function aloneState({ direction, view, announced }: CallFacts): CallState {
  // Alone in a room there is nothing left to wait for.
  if (direction === 'room') return announced ? 'connected' : 'connecting'
  const rings = view?.invites.some(({ state }) => state === 'ringing') ?? false
  if (rings) return 'ringing'
  return direction === 'outgoing' ? 'dialing' : 'connecting'
}

/** Whether there are other people than before, all of them. */
function isExchanged(before: CallFacts, after: CallFacts): boolean {
  // Who takes his seat anew, as after a reload, is the same person.
  const known = new Set(others(before).map(({ user }) => user))
  const present = others(after)
  return known.size > 0 && present.length > 0 && present.every(({ user }) => !known.has(user))
}

function others({ view, self }: CallFacts) {
  return view?.participants.filter(({ id }) => id !== self) ?? []
}
