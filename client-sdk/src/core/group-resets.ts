import { sameDevice } from './group-needs.ts'
import type { GroupState } from './group-state.ts'

/** Groups of this device that were given up while it could follow them. */
export interface GroupResets {
  /** It had been away, or somebody who is shown had no part in the group: those may need a new one. */
  readonly explained: number
  /** Nobody whom this device sees can have needed it, or it is the next of too many. */
  readonly unexplained: number
}

/** Resets that may be what they seem. More of them in one stay are a server that wants new codes. */
export const MOST_EXPLAINED = 2

/** What the count is once the group has been given up. */
export function afterReset({ returning, roster, view, resets }: GroupState): GroupResets {
  // Who is in no group has asked for a new one himself, or loses nothing by it.
  if (!view) return resets
  const isOut = (seat: (typeof roster)[number]) =>
    !view.leaves.some((leaf) => sameDevice(leaf, seat))
  const isExplained = returning || roster.some(isOut)
  if (isExplained && resets.explained < MOST_EXPLAINED) {
    return { ...resets, explained: resets.explained + 1 }
  }
  return { ...resets, unexplained: resets.unexplained + 1 }
}
