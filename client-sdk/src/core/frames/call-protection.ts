import type { ProofState } from './stream-proof.ts'

/**
 * How one path protects media. `plain`: frames may pass that are not end-to-end encrypted.
 * `pending`: none may, and none have yet. `sealed`: all that pass are.
 */
export type PathProtection = 'plain' | 'pending' | 'sealed'

/** What is known of a path through a node. */
export interface NodePath {
  /** Keys to seal with are there. */
  readonly keyed: boolean
  readonly senders: readonly ProofState[]
  readonly receivers: readonly ProofState[]
}

/**
 * A path through a node is sealed when frames pass the worker, and none can pass it by. Before its
 * first frame a sender carries silence only, and a receiver is not shown: one that the worker does
 * not hold yet, as of somebody who has just come, takes nothing away from the others.
 */
export function nodeProtection({ keyed, senders, receivers }: NodePath): PathProtection {
  const streams = [...senders, ...receivers]
  // What was found out is stopped at once; until it is gone the call does not claim anything.
  if (streams.includes('bypassed')) return 'plain'
  if (senders.includes('waiting')) return 'pending'
  return keyed && streams.includes('proven') ? 'sealed' : 'pending'
}

/** Whether a call is encrypted: all of its paths are, and one in use has proven it. */
export function isEncrypted(
  paths: readonly { readonly used: boolean; readonly protection: PathProtection }[],
): boolean {
  if (paths.some(({ protection }) => protection === 'plain')) return false
  return paths.some(({ used, protection }) => used && protection === 'sealed')
}

/**
 * How far a call is from being encrypted end to end. `off`: the app has turned it off. `pending`: keys are
 * being agreed on, or nobody is there to do so with; nothing is sent or shown before. `held`:
 * somebody in the call is not trusted, and nothing goes to him or comes of him. `encrypted`: as
 * `call.encrypted`, with all who are in the call.
 */
export type Protection = 'off' | 'pending' | 'held' | 'encrypted'

/** Sums up what is known of a call's encryption. */
export function protectionOf({
  wanted,
  encrypted,
  decisions,
}: {
  readonly wanted: boolean
  readonly encrypted: boolean
  /** On each of the others; undefined for who has not shown who he is. */
  readonly decisions: readonly ('accept' | 'hold' | 'refuse' | undefined)[]
}): Protection {
  if (!wanted) return 'off'
  if (decisions.some((decision) => decision === 'hold' || decision === 'refuse')) return 'held'
  return encrypted ? 'encrypted' : 'pending'
}
