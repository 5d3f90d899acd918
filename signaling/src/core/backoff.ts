import type { Millis } from '@parley/protocol'

const FIRST_MS = 1_000
const MOST_MS = 5 * 60 * 1_000
/** With the pauses below: about an hour of trying. */
const MOST_ATTEMPTS = 20

/** How long to wait after the nth attempt has failed, counted from 1; `undefined` gives up. */
export function retryAfter(attempt: number, random01: number, askedMs = 0): Millis | undefined {
  if (attempt >= MOST_ATTEMPTS) return undefined
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** (attempt - 1))
  return Math.max(Math.min(askedMs, MOST_MS), most * (0.5 + random01 / 2))
}
