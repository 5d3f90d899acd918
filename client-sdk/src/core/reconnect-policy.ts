import type { Millis } from '@parley/protocol'

/** What is known when a connection attempt has failed. */
export interface Attempt {
  /** How many attempts have failed in a row, from 1. */
  readonly failures: number
  /** Since the connection was lost, or first wanted. */
  readonly elapsedMs: Millis
  /** How long it may take altogether. */
  readonly budgetMs: Millis
  /** 0 ≤ x < 1. */
  readonly random: number
}

/** The delay before the next attempt, or the end of trying. */
export type Retry = { readonly inMs: Millis } | 'give-up'

/** The first retry is quick: most losses are a moved phone or a restarted proxy. */
const FIRST_MS = 250
/** Larger spares a server that comes back to thousands of clients; smaller is back sooner. */
const CAP_MS = 8_000

/** Exponential back-off with jitter over the whole upper half, so that a crowd spreads out. */
export function retryAfter({ failures, elapsedMs, budgetMs, random }: Attempt): Retry {
  if (elapsedMs >= budgetMs) return 'give-up'
  const ceiling = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10))
  return { inMs: Math.round(ceiling * (0.5 + random / 2)) }
}
