import type { Millis, NodeLoad } from '@parley/protocol'
import { limits } from '@parley/protocol'

/** CPU time that a worker had used at a moment. */
export interface CpuSample {
  readonly at: Millis
  /** User and system time, milliseconds. */
  readonly usedMs: number
}

/** What placement looks at. */
export interface WorkerLoad {
  readonly worker: number
  /** Share of one core, 0 to 1 and a little more when clocks disagree. */
  readonly cpu: number
  readonly rooms: number
  readonly peers: number
}

/** Share of one core between two samples, over the time that passed and not the time intended. */
export function cpuShare(before: CpuSample, after: CpuSample): number {
  const elapsedMs = after.at - before.at
  return elapsedMs > 0 ? Math.max(0, (after.usedMs - before.usedMs) / elapsedMs) : 0
}

/**
 * The worker for the next room; undefined where there is none. CPU lags behind a burst of joins,
 * so people count beside it, and rooms that nobody has entered yet break the tie.
 */
export function leastLoaded(workers: readonly WorkerLoad[]): number | undefined {
  const order = (a: WorkerLoad, b: WorkerLoad) =>
    score(a) - score(b) || a.rooms - b.rooms || a.worker - b.worker
  return [...workers].sort(order)[0]?.worker
}

/** The node's load as it is reported: the busiest worker decides, since a room lives on one. */
export function nodeLoad(workers: readonly WorkerLoad[]): NodeLoad {
  const sum = (of: (load: WorkerLoad) => number) => workers.reduce((all, w) => all + of(w), 0)
  return {
    cpu: Math.max(0, ...workers.map(({ cpu }) => cpu)),
    rooms: sum(({ rooms }) => rooms),
    peers: sum(({ peers }) => peers),
    workers: workers.length,
  }
}

function score({ cpu, peers }: WorkerLoad): number {
  return Math.max(cpu, peers / limits.participantsPerCall)
}
