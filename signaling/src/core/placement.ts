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

/** Above this a node takes a new room only if all are above it. */
const BUSY_CPU = 0.8

/** The node for a new room: the least loaded one, peers counting as the load they will be. */
export function placeRoom(candidates: readonly Candidate[]): Candidate | undefined {
  const working = candidates.filter(({ load }) => load.workers > 0)
  const calm = working.filter((node) => pressure(node) < BUSY_CPU)
  const pool = calm.length > 0 ? calm : working
  return pool.reduce<Candidate | undefined>(
    (best, node) => (best === undefined || pressure(node) < pressure(best) ? node : best),
    undefined,
  )
}

function pressure({ load }: Candidate): number {
  return Math.max(load.cpu, (load.peers * CPU_PER_PEER) / load.workers)
}
