import type { MediaPath, TopologyView } from './call-view.ts'
import type { Millis, ParticipantId } from './ids.ts'
import { stay, unreachable } from './step.ts'
import type { Step } from './step.ts'

/**
 * How long participants may take to receive media on a new path before the switch is forced or
 * rolled back. Longer suits slow links; shorter shows a blocked SFU port sooner.
 */
export const SWITCH_DEADLINE_MS = 15_000

/** More people than this cannot talk peer to peer: each would upload once per other. */
const MOST_PEERS = 2

/**
 * The path of a call's media. A change is make-before-break: `next` is warmed up (prepare), each
 * participant with media on the old path reports that it decodes the new one (ready), and only then
 * the old one stops (execute). A switch that nobody needs is rolled back at its deadline.
 */
export type Topology =
  | { readonly phase: 'settled'; readonly path: MediaPath; readonly epoch: number }
  | {
      readonly phase: 'switching'
      readonly path: MediaPath
      readonly epoch: number
      readonly next: { readonly path: 'sfu'; readonly epoch: number }
      readonly waitingFor: readonly ParticipantId[]
      readonly deadline: Millis
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
      if (state.phase === 'switching' || state.path === 'sfu') return stay(state)
      return begin(state, event.participants, now)
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
  return state.phase === 'switching' ? state.deadline : undefined
}

/** The epochs whose media rooms are open. */
export function openEpochs(state: Topology): readonly number[] {
  const current = state.path === 'sfu' ? [state.epoch] : []
  return state.phase === 'switching' ? [...current, state.next.epoch] : current
}

/** The wire form. */
export function topologyView(state: Topology): TopologyView {
  const { path, epoch } = state
  return state.phase === 'switching' ? { path, epoch, next: state.next } : { path, epoch }
}

type Switching = Extract<Topology, { phase: 'switching' }>

function onAudience(
  state: Topology,
  event: Extract<TopologyEvent, { type: 'audienceChanged' }>,
  now: Millis,
): Step<Topology, TopologyEffect> {
  if (state.phase === 'switching') {
    const { participants } = event
    return wait(
      state,
      state.waitingFor.filter((id) => participants.includes(id)),
    )
  }
  if (state.path === 'sfu' || !needsSfu(event.participants, event.sfuOnly)) return stay(state)
  // Only those who already talk to each other have something to lose; the last one to come has not.
  const talking = event.participants.slice(0, -1)
  return begin(state, talking.length >= MOST_PEERS ? talking : [], now)
}

function onMediaLost(
  state: Topology,
  event: Extract<TopologyEvent, { type: 'mediaLost' }>,
  now: Millis,
): Step<Topology, TopologyEffect> {
  if (state.phase === 'switching') {
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
  if (state.phase !== 'switching' || now < state.deadline) return stay(state)
  // For three or more, and after a lost node, there is no other path: those who are ready go on.
  if (state.path === 'sfu' || needsSfu(event.participants, event.sfuOnly)) return execute(state)
  return {
    // The same path under an epoch past the aborted one, so that a later switch gets a fresh one.
    state: { phase: 'settled', path: state.path, epoch: state.next.epoch },
    effects: [{ type: 'closeMedia', epoch: state.next.epoch }],
  }
}

function begin(
  state: Topology,
  waitingFor: readonly ParticipantId[],
  now: Millis,
): Step<Topology, TopologyEffect> {
  const next = { path: 'sfu', epoch: state.epoch + 1 } as const
  const opened = { type: 'openMedia', epoch: next.epoch } as const
  const begun: Switching = {
    phase: 'switching',
    path: state.path,
    epoch: state.epoch,
    next,
    waitingFor,
    deadline: now + SWITCH_DEADLINE_MS,
  }
  const step = wait(begun, waitingFor)
  return { state: step.state, effects: [opened, ...step.effects] }
}

function wait(
  state: Switching,
  waitingFor: readonly ParticipantId[],
): Step<Topology, TopologyEffect> {
  return waitingFor.length === 0 ? execute(state) : stay({ ...state, waitingFor })
}

function execute(state: Switching): Step<Topology, TopologyEffect> {
  return {
    state: { phase: 'settled', ...state.next },
    effects: state.path === 'sfu' ? [{ type: 'closeMedia', epoch: state.epoch }] : [],
  }
}

function needsSfu(participants: readonly ParticipantId[], sfuOnly: boolean): boolean {
  return participants.length > MOST_PEERS || (sfuOnly && participants.length > 0)
}

function without<T>(list: readonly T[], item: T): readonly T[] {
  return list.filter((other) => other !== item)
}
