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
