import type { CallPolicy } from './call-policy.ts'
import { MOVE_DEADLINE_MS } from './call-state.ts'
import type { Call, DeviceAddress, Participant } from './call-state.ts'
import type { Publication, Sending, TopologyView } from './call-view.ts'
import type { CallId, Millis, ParticipantId, RoomName, UserId } from './ids.ts'
import { isLater, SWITCH_DEADLINE_MS, topologyView } from './topology.ts'
import type { Topology } from './topology.ts'

/** A seat as it was when somebody wrote it down. */
export interface RememberedSeat extends DeviceAddress {
  readonly id: ParticipantId
  readonly sending: Sending
  readonly onHold: boolean
  /** The seat that this one takes the place of, once it has its media. */
  readonly replaces?: ParticipantId | undefined
}

/** What is known of a call whose server has lost it. */
export interface RememberedCall {
  readonly id: CallId
  readonly room: RoomName | undefined
  readonly startedBy: UserId
  readonly sfuOnly: boolean
  readonly answered: boolean
  readonly seats: readonly RememberedSeat[]
  readonly topology: TopologyView
  /** Its media stays on nodes, however few are left. */
  readonly pinned: boolean
  readonly policy: CallPolicy
}

/** The streams that an SFU node has of each seat. */
export type RememberedStreams = ReadonlyMap<ParticipantId, readonly Publication[]>

/** The call as it was, with every seat waiting for its device to come back. */
export function restoredCall(known: RememberedCall, streams: RememberedStreams, now: Millis): Call {
  const { id, room, startedBy, sfuOnly, answered, seats, policy } = known
  return {
    id,
    room,
    startedBy,
    sfuOnly,
    phase: 'open',
    answered,
    participants: seats.map((seat) => waitingSeat(seat, streams, now)),
    invites: [],
    topology: restoredTopology(known, seats, now),
    policy,
    // Who waits asks again.
    waiting: [],
  }
}

/** What a newer memory changes in a restored call. */
export interface Correction {
  readonly call: Call
  /** Seats that the older memory had, and that were left or taken away before the call was lost. */
  readonly gone: readonly ParticipantId[]
}

/**
 * Corrects a restored call by a newer memory of it. Who came or left since it was restored (`since`)
 * is not touched: that happened after anything that a memory can tell.
 */
export function correctedCall(
  call: Call,
  { known, since }: { known: RememberedCall; since: ReadonlySet<ParticipantId> },
  { streams, now }: { streams: RememberedStreams; now: Millis },
): Correction {
  const remembered = new Set(known.seats.map(({ id }) => id))
  const present = new Set(call.participants.map(({ id }) => id))
  const missing = known.seats.filter(({ id }) => !present.has(id) && !since.has(id))
  const participants = [
    ...call.participants,
    ...missing.map((seat) => waitingSeat(seat, streams, now)),
  ]
  const moved = isLater(known.topology, topologyView(call.topology))
  return {
    call: {
      ...call,
      answered: call.answered || known.answered,
      participants,
      policy: known.policy,
      topology: moved
        ? restoredTopology(known, participants, now)
        : { ...call.topology, ...pinOf(known) },
    },
    gone: call.participants
      .filter(
        ({ id, user }) =>
          known.policy.removed.includes(user) || (!since.has(id) && !remembered.has(id)),
      )
      .map(({ id }) => id),
  }
}

/** A switch to a node that was under way goes on: everybody tells again once he is ready. */
function restoredTopology(
  known: Pick<RememberedCall, 'topology' | 'pinned'>,
  seats: readonly { readonly id: ParticipantId }[],
  now: Millis,
): Topology {
  const { path, epoch, next } = known.topology
  const pin = pinOf(known)
  if (!next) return { phase: 'settled', path, epoch, ...pin }
  // One back from it had not cost anybody anything yet.
  if (next.path === 'p2p') return { phase: 'settled', path, epoch, spent: next.epoch, ...pin }
  return {
    phase: 'switching',
    path,
    epoch,
    ...pin,
    next: { path: 'sfu', epoch: next.epoch },
    waitingFor: seats.map(({ id }) => id),
    deadline: now + SWITCH_DEADLINE_MS,
  }
}

function pinOf({ pinned }: Pick<RememberedCall, 'pinned'>): { readonly pinned?: true } {
  return pinned ? { pinned } : {}
}

function waitingSeat(
  { replaces, ...seat }: RememberedSeat,
  streams: RememberedStreams,
  now: Millis,
): Participant {
  const moving = replaces && { from: replaces, deadline: now + MOVE_DEADLINE_MS }
  const publications = streams.get(seat.id) ?? []
  return { ...seat, connected: false, publications, ...(moving && { moving }) }
}
