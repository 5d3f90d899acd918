import type { DeviceId, ParticipantId, UserId } from '@parley/protocol'

/** A device of a user. */
export interface DeviceName {
  readonly user: UserId
  readonly device: DeviceId
}

/** A participant of the call, as the server tells. */
export interface Seat extends DeviceName {
  readonly participant: ParticipantId
  readonly connected: boolean
}

/** A member of the group, as its tree tells. */
export interface Leaf extends DeviceName {
  readonly leaf: number
}

/** A device that waits to be taken in; who it is, its offer says. */
export interface Waiting extends DeviceName {
  readonly keyPackage: string
}

/** What has to change so that the group is those who are in the call. */
export interface GroupNeeds {
  readonly add: readonly ParticipantId[]
  readonly remove: readonly number[]
}

/**
 * Members added by one commit at most: it must fit into a message together with the public state of
 * the largest group.
 */
const MOST_ADDED = 16

/** Compares the call's roster with the group's members. */
export function needsOf(
  roster: readonly Seat[],
  leaves: readonly Leaf[],
  waiting: ReadonlyMap<ParticipantId, Waiting>,
  ownLeaf: number,
): GroupNeeds {
  const add = roster
    .filter((seat) => {
      const offer = waiting.get(seat.participant)
      // An offer in somebody else's name is no offer.
      return offer !== undefined && sameDevice(offer, seat)
    })
    .slice(0, MOST_ADDED)
  const remove = leaves.filter(
    (leaf) =>
      leaf.leaf !== ownLeaf &&
      // Gone, or back with a fresh state in the place of the one that it lost.
      (!roster.some((seat) => sameDevice(seat, leaf)) ||
        add.some((seat) => sameDevice(seat, leaf))),
  )
  return { add: add.map(({ participant }) => participant), remove: remove.map(({ leaf }) => leaf) }
}

/** How many connected members stand before this device in the order of committing. */
export function rankOf(roster: readonly Seat[], leaves: readonly Leaf[], ownLeaf: number): number {
  return leaves.filter(
    (leaf) =>
      leaf.leaf < ownLeaf && roster.some((seat) => seat.connected && sameDevice(seat, leaf)),
  ).length
}

export function sameDevice(a: DeviceName, b: DeviceName): boolean {
  return a.user === b.user && a.device === b.device
}
