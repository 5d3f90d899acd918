import type { Millis } from '@parley/protocol'

/**
 * What is known of one sender or receiver. `waiting`: its frames have not been seen; `proven`: they
 * pass the worker; `bypassed`: they do not, and it must be stopped.
 */
export type ProofState = 'waiting' | 'proven' | 'bypassed'

/** Frames so far: what the browser counts, and what the worker does. */
export interface FrameCounts {
  /** Sent or received, as the browser's statistics have it. */
  readonly browser: number
  /** Seen by the worker, counted after `browser` was. */
  readonly worker: number
}

export interface StreamProof {
  readonly state: ProofState
  /** The worker holds the stream's transform. */
  readonly attached: boolean
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
  return { state: 'waiting', attached: false, since: now, counts, strikes: 0 }
}

/** Decides from counts whether frames pass the worker. Once bypassed it stays so. */
export function streamProof(proof: StreamProof, event: ProofEvent, now: Millis): StreamProof {
  if (proof.state === 'bypassed') return proof
  switch (event.type) {
    case 'attached':
      return { ...proof, attached: true }
    case 'firstFrame':
      return { ...proof, attached: true, state: 'proven' }
    case 'counted':
      return count(proof, event.counts, now)
  }
}

function count(proof: StreamProof, counts: FrameCounts, now: Millis): StreamProof {
  const strikes = speaksAgainst(proof, counts) ? proof.strikes + 1 : 0
  const late = !proof.attached && now >= proof.since + ATTACH_WITHIN_MS
  if (late || strikes >= STRIKES) return { ...proof, counts, strikes, state: 'bypassed' }
  return { ...proof, counts, strikes }
}

function speaksAgainst({ attached, counts: before }: StreamProof, counts: FrameCounts): boolean {
  if (!attached) return counts.browser > 0
  const missing = counts.browser - counts.worker
  const stalled = counts.browser - before.browser > SLACK && counts.worker === before.worker
  return stalled || missing > Math.max(MISSING, counts.browser * MISSING_PART)
}
