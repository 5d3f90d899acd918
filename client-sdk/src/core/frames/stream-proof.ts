import type { Millis } from '@parley/protocol'

/**
 * What is known of one sender or receiver. `waiting`: the worker does not hold it yet. `attached`: it
 * does, and no frame has come. `proven`: its frames pass the worker. `bypassed`: they do not, and
 * it must be stopped.
 */
export type ProofState = 'waiting' | 'attached' | 'proven' | 'bypassed'

/** Frames so far: what the browser counts, and what the worker does. */
export interface FrameCounts {
  /** Sent or received, as the browser's statistics have it. */
  readonly browser: number
  /** Seen by the worker, counted after `browser` was. */
  readonly worker: number
}

export interface StreamProof {
  readonly state: ProofState
  readonly since: Millis
  readonly counts: FrameCounts
  /** Looks in a row that spoke against it. */
  readonly strikes: number
}

export type ProofEvent =
  | { readonly type: 'attached' }
  | { readonly type: 'firstFrame' }
  | { readonly type: 'counted'; readonly counts: FrameCounts }

/** How often streams are looked at. Two looks decide, and a second is the most that may take. */
export const LOOK_EVERY_MS: Millis = 400

/** A worker takes a transform within milliseconds; shorter would fail on a machine that is busy. */
const ATTACH_WITHIN_MS: Millis = 3_000

/** One look can find frames on their way to a worker that is starved; two do not. */
const STRIKES = 2

/** Frames between two looks that prove nothing: they may be on their way. */
const SLACK = 3

/** Of several layers one may bypass the worker: this many frames, and this part of all. */
const MISSING = 30
const MISSING_PART = 0.25

export function newStreamProof(now: Millis): StreamProof {
  const counts = { browser: 0, worker: 0 }
  return { state: 'waiting', since: now, counts, strikes: 0 }
}

/** Decides from counts whether frames pass the worker. Once bypassed it stays so. */
export function streamProof(proof: StreamProof, event: ProofEvent, now: Millis): StreamProof {
  if (proof.state === 'bypassed') return proof
  switch (event.type) {
    case 'attached':
      return proof.state === 'waiting' ? { ...proof, state: 'attached' } : proof
    case 'firstFrame':
      return { ...proof, state: 'proven' }
    case 'counted':
      return count(proof, event.counts, now)
  }
}

function count(proof: StreamProof, counts: FrameCounts, now: Millis): StreamProof {
  const strikes = speaksAgainst(proof, counts) ? proof.strikes + 1 : 0
  const late = proof.state === 'waiting' && now >= proof.since + ATTACH_WITHIN_MS
  if (late || strikes >= STRIKES) return { ...proof, counts, strikes, state: 'bypassed' }
  return { ...proof, counts, strikes }
}

function speaksAgainst({ state, counts: before }: StreamProof, counts: FrameCounts): boolean {
  if (state === 'waiting') return counts.browser > 0
  const missing = counts.browser - counts.worker
  const stalled = counts.browser - before.browser > SLACK && counts.worker === before.worker
  return stalled || missing > Math.max(MISSING, counts.browser * MISSING_PART)
}
