import type { NodeLoad } from '@parley/protocol'

/** A node that can be chosen. */
export interface Candidate {
  readonly id: string
  readonly load: NodeLoad
}

/**
 * CPU that one peer is taken to cost until the node's next report shows it. Without it, everybody
 * who joins between two reports lands on the same node.
 */
const CPU_PER_PEER = 0.01

/**
 * Nodes for a new room, the least loaded first, peers counting as the load that they will be. Nodes without a worker are left out.
 */
export function rankNodes(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates
    .filter(({ load }) => load.workers > 0)
    .toSorted((a, b) => pressure(a) - pressure(b))
}

function pressure({ load }: Candidate): number {
  return Math.max(load.cpu, (load.peers * CPU_PER_PEER) / load.workers)
}
