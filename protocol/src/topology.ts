import type { MediaPath, TopologyView } from './call-view.ts'
import type { Millis, ParticipantId } from './ids.ts'
import { stay, unreachable } from './step.ts'
import type { Step } from './step.ts'

/**
 * How long participants may take to receive media on a new path before the switch is forced or
 * rolled back. Longer suits slow links; shorter shows a blocked SFU port sooner.
 */
export const SWITCH_DEADLINE_MS = 15_000

/**
 * How long two must have been alone on the SFU before they go back to each other. Longer spares calls
 * that people come to and leave often; shorter frees the node sooner.
 */
export const RETURN_AFTER_MS = 5_000

/** More people than this cannot talk peer to peer: each would upload once per other. */
const MOST_PEERS = 2

/**
 * The path of a call's media. A change is make-before-break: `next` is warmed up (prepare), each
 * participant with media on the old path reports that it decodes the new one (ready), and only then
 * the old one stops (execute). A switch that nobody needs is rolled back at its deadline.
 */
export type Topology = Standing &
  (
    | {
        readonly phase: 'settled'
        /** Two are left of more: when they go back to each other. */
        readonly returnAt?: Millis
      }
    | {
        readonly phase: 'switching'
        readonly next: { readonly path: MediaPath; readonly epoch: number }
        readonly waitingFor: readonly ParticipantId[]
        readonly deadline: Millis
        /** Whom a switch back to peer to peer is for: with anybody else it is void. */
        readonly between?: readonly ParticipantId[]
      }
  )

interface Standing {
  readonly path: MediaPath
  readonly epoch: number
  /** An epoch past `epoch` that a switch had which came to nothing: no other one gets it. */
  readonly spent?: number
  /** Somebody has asked for the SFU, or peer to peer has failed: the call stays there. */
  readonly pinned?: true
}

export type TopologyEvent =
  /** People came or went. `sfuOnly`: policy forbids peer to peer. */
  | {
      readonly type: 'audienceChanged'
      readonly participants: readonly ParticipantId[]
      readonly sfuOnly: boolean
    }
  /** A participant decodes what it should on the path of `epoch`. */
  | { readonly type: 'ready'; readonly participant: ParticipantId; readonly epoch: number }
  /** A participant cannot or will not talk peer to peer. */
  | { readonly type: 'escalated'; readonly participants: readonly ParticipantId[] }
  /** The node's room of `epoch` is gone. */
  | {
      readonly type: 'mediaLost'
      readonly epoch: number
      readonly participants: readonly ParticipantId[]
    }
  | { readonly type: 'tick'; readonly participants: readonly ParticipantId[]; sfuOnly: boolean }

export type TopologyEffect =
  | { readonly type: 'openMedia'; readonly epoch: number }
  | { readonly type: 'closeMedia'; readonly epoch: number }

/** Every call begins here: nobody to talk to yet, and peer to peer as soon as there is. */
export const initialTopology: Topology = { phase: 'settled', path: 'p2p', epoch: 0 }

/** The machine. An event that makes no sense in a state changes nothing. */
export function topology(
  state: Topology,
  event: TopologyEvent,
  now: Millis,
): Step<Topology, TopologyEffect> {
  switch (event.type) {
    case 'audienceChanged':
      return onAudience(state, event, now)
    case 'ready':
      if (state.phase !== 'switching' || event.epoch !== state.next.epoch) return stay(state)
      return wait(state, without(state.waitingFor, event.participant))
    case 'escalated':
      return onEscalated(state, event.participants, now)
    case 'mediaLost':
      return onMediaLost(state, event, now)
    case 'tick':
      return onTick(state, event, now)
    default:
      return unreachable(event)
  }
}

/** When `tick` is next due. */
export function topologyDeadline(state: Topology): Millis | undefined {
  return state.phase === 'switching' ? state.deadline : state.returnAt
}

/** The epochs whose media rooms are open. */
export function openEpochs(state: Topology): readonly number[] {
  const current = state.path === 'sfu' ? [state.epoch] : []
  const opens = state.phase === 'switching' && state.next.path === 'sfu'
  return opens ? [...current, state.next.epoch] : current
}

/** The wire form. */
export function topologyView(state: Topology): TopologyView {
  const { path, epoch } = state
  return state.phase === 'switching' ? { path, epoch, next: state.next } : { path, epoch }
}

/** Whether `a` tells of a later moment of a call than `b`: an epoch is opened, then it is in force. */
export function isLater(a: TopologyView, b: TopologyView): boolean {
  const opened = ({ epoch, next }: TopologyView) => next?.epoch ?? epoch
  return opened(a) > opened(b) || (opened(a) === opened(b) && a.epoch > b.epoch)
}

type Settled = Extract<Topology, { phase: 'settled' }>
type Switching = Extract<Topology, { phase: 'switching' }>

function onAudience(
  state: Topology,
  event: Extract<TopologyEvent, { type: 'audienceChanged' }>,
  now: Millis,
): Step<Topology, TopologyEffect> {
  const { participants, sfuOnly } = event
  if (state.phase === 'switching') {
    const { between } = state
    if (between && !isSame(between, participants)) return onAudience(abandon(state), event, now)
    return wait(
      state,
      state.waitingFor.filter((id) => participants.includes(id)),
    )
  }
  if (state.path === 'sfu') {
    if (mayReturn(state, participants, sfuOnly)) {
      return stay({ ...state, returnAt: now + RETURN_AFTER_MS })
    }
    return stay(remaining(state))
  }
  if (!needsSfu(participants, sfuOnly)) return stay(state)
  // Only those who already talk to each other have something to lose; the last one to come has not.
  const talking = participants.slice(0, -1)
  return begin(state, talking.length >= MOST_PEERS ? talking : [], now)
}

function onEscalated(
  state: Topology,
  participants: readonly ParticipantId[],
  now: Millis,
): Step<Topology, TopologyEffect> {
  if (state.phase === 'switching') {
    const pinned = state.next.path === 'sfu' ? state : abandon(state)
    return stay({ ...pinned, pinned: true })
  }
  if (state.path === 'p2p') return begin({ ...state, pinned: true }, participants, now)
  return stay(state.pinned ? state : { ...remaining(state), pinned: true })
}

function onMediaLost(
  state: Topology,
  event: Extract<TopologyEvent, { type: 'mediaLost' }>,
  now: Millis,
): Step<Topology, TopologyEffect> {
  if (state.phase === 'switching') {
    // What there was to go back from is gone.
    if (state.between && event.epoch === state.epoch) return execute(state)
    if (event.epoch !== state.next.epoch) return stay(state)
    const next = { path: 'sfu', epoch: state.next.epoch + 1 } as const
    return {
      state: { ...state, next, deadline: now + SWITCH_DEADLINE_MS },
      effects: [
        { type: 'closeMedia', epoch: event.epoch },
        { type: 'openMedia', epoch: next.epoch },
      ],
    }
  }
  if (state.path !== 'sfu' || event.epoch !== state.epoch) return stay(state)
  return begin(state, event.participants, now)
}

function onTick(
  state: Topology,
  event: Extract<TopologyEvent, { type: 'tick' }>,
  now: Millis,
): Step<Topology, TopologyEffect> {
  const { participants, sfuOnly } = event
  if (state.phase === 'settled') {
    if (state.returnAt === undefined || now < state.returnAt) return stay(state)
    const goes = mayReturn(state, participants, sfuOnly)
    return goes ? goBack(state, participants, now) : stay(remaining(state))
  }
  if (now < state.deadline) return stay(state)
  if (state.between) return stay({ ...abandon(state), pinned: true })
  // For three or more, and after a lost node, there is no other path: those who are ready go on.
  if (state.path === 'sfu' || needsSfu(participants, sfuOnly)) return execute(state)
  return {
    // The same path under an epoch past the aborted one, so that a later switch gets a fresh one.
    state: { phase: 'settled', path: state.path, epoch: state.next.epoch },
    effects: [{ type: 'closeMedia', epoch: state.next.epoch }],
  }
}

function begin(
  { path, epoch, pinned, spent }: Settled,
  waitingFor: readonly ParticipantId[],
  now: Millis,
): Step<Topology, TopologyEffect> {
  const next = { path: 'sfu', epoch: (spent ?? epoch) + 1 } as const
  const opened = { type: 'openMedia', epoch: next.epoch } as const
  const begun: Switching = {
    phase: 'switching',
    path,
    epoch,
    ...(pinned && { pinned }),
    next,
    waitingFor,
    deadline: now + SWITCH_DEADLINE_MS,
  }
  const step = wait(begun, waitingFor)
  return { state: step.state, effects: [opened, ...step.effects] }
}

/** Two are left of more: the node goes on until both decode each other directly. */
function goBack(
  { path, epoch, spent }: Settled,
  participants: readonly ParticipantId[],
  now: Millis,
): Step<Topology, TopologyEffect> {
  return stay({
    phase: 'switching',
    path,
    epoch,
    next: { path: 'p2p', epoch: (spent ?? epoch) + 1 },
    waitingFor: participants,
    between: participants,
    deadline: now + SWITCH_DEADLINE_MS,
  })
}

/** Not on the way back any more. */
function remaining(state: Settled): Settled {
  const { returnAt, ...rest } = state
  return returnAt === undefined ? state : rest
}

/** The node goes on; nothing of the switch back counts any more. */
function abandon({ path, epoch, next }: Switching): Settled {
  return { phase: 'settled', path, epoch, spent: next.epoch }
}

function wait(
  state: Switching,
  waitingFor: readonly ParticipantId[],
): Step<Topology, TopologyEffect> {
  return waitingFor.length === 0 ? execute(state) : stay({ ...state, waitingFor })
}

function execute(state: Switching): Step<Topology, TopologyEffect> {
  const { next, pinned } = state
  return {
    state: { phase: 'settled', ...next, ...(pinned && { pinned }) },
    effects: state.path === 'sfu' ? [{ type: 'closeMedia', epoch: state.epoch }] : [],
  }
}

function needsSfu(participants: readonly ParticipantId[], sfuOnly: boolean): boolean {
  return participants.length > MOST_PEERS || (sfuOnly && participants.length > 0)
}

function mayReturn(
  { pinned }: Topology,
  participants: readonly ParticipantId[],
  sfuOnly: boolean,
): boolean {
  return pinned !== true && !sfuOnly && participants.length === MOST_PEERS
}

function isSame(one: readonly ParticipantId[], other: readonly ParticipantId[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id))
}

function without<T>(list: readonly T[], item: T): readonly T[] {
  return list.filter((other) => other !== item)
}
