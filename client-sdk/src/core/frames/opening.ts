/** What is known of how the frames of a received stream are opened. */
export interface Opening {
  readonly seen: number
  readonly opened: number
  /** Looks in a row in which frames came and none was opened. */
  readonly strikes: number
  /** They come, and cannot be opened. */
  readonly failing: boolean
}

export const newOpening: Opening = { seen: 0, opened: 0, strikes: 0, failing: false }

/** Frames between two looks from which on it counts that none of them was opened. */
const FEW = 3

/** Keys of somebody who has just come are under way for a second: fewer looks would warn of that. */
const STRIKES = 5

/** Takes in the newest count of a stream. */
export function opening(before: Opening, count: Pick<Opening, 'seen' | 'opened'>): Opening {
  const { seen, opened } = count
  if (opened > before.opened) return { seen, opened, strikes: 0, failing: false }
  // Too little has come to tell.
  if (seen - before.seen < FEW) return { ...before, seen }
  const strikes = before.strikes + 1
  return { seen, opened, strikes, failing: strikes >= STRIKES }
}
