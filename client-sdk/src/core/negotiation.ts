import { stay, unreachable } from '@parley/protocol'
import type { PeerSignal, Step } from '@parley/protocol'

type Signal<Key extends string> = Extract<PeerSignal, Readonly<Record<Key, unknown>>>
/** A description as it travels: with the sources of its media sections and the offer's number. */
export type RemoteDescription = Signal<'description'>
/** A signal that the negotiation is about. */
export type NegotiationSignal = RemoteDescription | Signal<'candidate'>
export type Candidate = Signal<'candidate'>['candidate']

/**
 * Perfect negotiation (W3C WebRTC §10.7) between two devices, one operation on the peer connection
 * at a time. Both may offer at any moment; when offers cross, the polite side gives way. Offers are
 * numbered by their maker and answers repeat the number, so that lost, repeated and late messages
 * do no harm.
 */
export interface Negotiation {
  readonly polite: boolean
  /** What the peer connection is, or is about to be, once the operation at hand is done. */
  readonly signaling: 'stable' | 'have-local-offer' | 'have-remote-offer'
  /** The operation at hand; the next one starts when it is done. */
  readonly busy: 'nothing' | 'local' | 'remote'
  /** Something changed that the other side has not been offered yet. */
  readonly needed: boolean
  /** Number of our newest offer. */
  readonly round: number
  /** Number of the newest offer of theirs that was answered or is being answered. */
  readonly theirRound: number
  /** What the local description is, once set. */
  readonly local: 'none' | 'offer' | 'answer'
  /** Whether a remote description was ever applied: candidates have to wait for it. */
  readonly described: boolean
  /** Candidates that wait for the next remote description. */
  readonly early: readonly Candidate[]
  readonly inbox: readonly NegotiationSignal[]
}

export type NegotiationEvent =
  | { readonly type: 'needed' }
  | { readonly type: 'signal'; readonly signal: NegotiationSignal }
  /** `setLocalDescription` is done; the shell sends what it made when told to. */
  | { readonly type: 'localDone' }
  | { readonly type: 'remoteDone' }
  /** The operation at hand failed; the peer connection is as before it. */
  | { readonly type: 'operationFailed' }
  /** Messages may have been lost: an offer that waits for its answer goes out again. */
  | { readonly type: 'resync' }

export type NegotiationEffect =
  /** `setLocalDescription()`: an offer in `stable`, an answer in `have-remote-offer`. */
  | { readonly type: 'setLocal' }
  /** `setRemoteDescription`, which rolls an offer of ours back if there is one. */
  | { readonly type: 'setRemote'; readonly description: RemoteDescription }
  /** Send the present local description under this number. */
  | { readonly type: 'sendLocal'; readonly round: number }
  | { readonly type: 'addCandidate'; readonly candidate: Candidate }

/** Larger than any honest burst of candidates; a bound against a peer that only sends. */
const INBOX_SIZE = 200
const MOST_EARLY = 50

export function newNegotiation(polite: boolean): Negotiation {
  return {
    polite,
    signaling: 'stable',
    busy: 'nothing',
    needed: false,
    round: 0,
    theirRound: 0,
    local: 'none',
    described: false,
    early: [],
    inbox: [],
  }
}

/** The machine. An event that makes no sense in a state changes nothing. */
export function negotiation(
  state: Negotiation,
  event: NegotiationEvent,
): Step<Negotiation, NegotiationEffect> {
  switch (event.type) {
    case 'needed':
      return proceed({ ...state, needed: true }, [])
    case 'signal':
      if (state.inbox.length >= INBOX_SIZE) return stay(state)
      return proceed({ ...state, inbox: [...state.inbox, event.signal] }, [])
    case 'localDone':
      return onLocalDone(state)
    case 'remoteDone':
      return onRemoteDone(state)
    case 'operationFailed':
      return onFailed(state)
    case 'resync':
      if (state.busy !== 'nothing' || state.signaling !== 'have-local-offer') return stay(state)
      return { state, effects: [{ type: 'sendLocal', round: state.round }] }
    default:
      return unreachable(event)
  }
}

/** Whether nothing is under way or waiting. */
export function isSettled(state: Negotiation): boolean {
  const idle = state.busy === 'nothing' && state.signaling === 'stable'
  return idle && !state.needed && state.inbox.length === 0
}

function onLocalDone(state: Negotiation): Step<Negotiation, NegotiationEffect> {
  if (state.busy !== 'local') return stay(state)
  const free = { ...state, busy: 'nothing' } as const
  return state.signaling === 'have-remote-offer'
    ? proceed({ ...free, signaling: 'stable', local: 'answer' }, [
        { type: 'sendLocal', round: state.theirRound },
      ])
    : proceed({ ...free, local: 'offer' }, [{ type: 'sendLocal', round: state.round }])
}

function onRemoteDone(state: Negotiation): Step<Negotiation, NegotiationEffect> {
  if (state.busy !== 'remote') return stay(state)
  const waited = state.early.map((candidate) => ({ type: 'addCandidate', candidate }) as const)
  const described = { ...state, described: true, early: [] } as const
  return state.signaling === 'stable'
    ? proceed({ ...described, busy: 'nothing' }, waited)
    : { state: { ...described, busy: 'local' }, effects: [...waited, { type: 'setLocal' }] }
}

function onFailed(state: Negotiation): Step<Negotiation, NegotiationEffect> {
  if (state.busy === 'nothing') return stay(state)
  // What could not be applied or made is dropped; a later change or an ICE restart offers again.
  const answering = state.signaling === 'have-remote-offer'
  const theirRound = answering ? state.theirRound - 1 : state.theirRound
  return proceed({ ...state, busy: 'nothing', signaling: 'stable', local: 'none', theirRound }, [])
}

/** Takes what waits, one operation at a time; own offers only when nothing else does. */
function proceed(
  state: Negotiation,
  effects: readonly NegotiationEffect[],
): Step<Negotiation, NegotiationEffect> {
  if (state.busy !== 'nothing') return { state, effects }
  const [first, ...rest] = state.inbox
  if (first === undefined) return offerIfNeeded(state, effects)
  const taken = { ...state, inbox: rest }
  const next = 'candidate' in first ? onCandidate(taken, first) : onDescription(taken, first)
  return proceed(next.state, [...effects, ...next.effects])
}

function offerIfNeeded(
  state: Negotiation,
  effects: readonly NegotiationEffect[],
): Step<Negotiation, NegotiationEffect> {
  if (!state.needed || state.signaling !== 'stable') return { state, effects }
  // The first offer is the impolite side's: Chromium gathers no candidates after rolling one back.
  if (state.polite && !state.described) return { state, effects }
  const round = state.round + 1
  return {
    state: { ...state, needed: false, busy: 'local', signaling: 'have-local-offer', round },
    effects: [...effects, { type: 'setLocal' }],
  }
}

function onCandidate(
  state: Negotiation,
  { candidate }: Signal<'candidate'>,
): Step<Negotiation, NegotiationEffect> {
  // Firefox loses candidates that it is given while an offer of its own waits for the answer.
  if (!state.described || state.signaling === 'have-local-offer')
    return stay({ ...state, early: [...state.early, candidate].slice(-MOST_EARLY) })
  return { state, effects: [{ type: 'addCandidate', candidate }] }
}

function onDescription(
  state: Negotiation,
  message: RemoteDescription,
): Step<Negotiation, NegotiationEffect> {
  const { type } = message.description
  if (type === 'answer') return onAnswer(state, message)
  return type === 'offer' ? onOffer(state, message) : stay(state)
}

function onAnswer(
  state: Negotiation,
  message: RemoteDescription,
): Step<Negotiation, NegotiationEffect> {
  if (state.signaling !== 'have-local-offer' || message.round !== state.round) return stay(state)
  return {
    state: { ...state, busy: 'remote', signaling: 'stable' },
    effects: [{ type: 'setRemote', description: message }],
  }
}

function onOffer(
  state: Negotiation,
  message: RemoteDescription,
): Step<Negotiation, NegotiationEffect> {
  const theirRound = message.round
  if (theirRound < state.theirRound) return stay(state)
  const collides = state.signaling === 'have-local-offer'
  const repeated = theirRound === state.theirRound
  // They have not heard our answer, which is still our local description.
  if (repeated && state.local === 'answer') {
    return { state, effects: [{ type: 'sendLocal', round: theirRound }] }
  }
  // Where an offer of ours has taken the answer's place, the polite side gives that up.
  if (repeated && !(collides && state.polite)) return stay(state)
  if (collides && !state.polite) return stay(state)
  return {
    state: {
      ...state,
      busy: 'remote',
      signaling: 'have-remote-offer',
      theirRound,
      // Ours was rolled back, and is made again afterwards.
      needed: state.needed || collides,
    },
    effects: [{ type: 'setRemote', description: message }],
  }
}
