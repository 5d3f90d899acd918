import type { Shape } from './stage.ts'

/** What a benchmark measures, and for how long. */
export interface Plan {
  /** Contenders take turns so many times; the median counts. */
  readonly rounds: number
  readonly seconds: number
  /** Clients, each with a peer of its own. */
  readonly pairs: number
  readonly burst: number
  /** What is measured in full. */
  readonly mainShape: Shape
  /** Rates at which every contender that can is measured. Datagrams per second. */
  readonly rates: readonly number[]
  /** What is measured at the first rate only. */
  readonly otherShapes: readonly Shape[]
  /** Bursts that are measured besides, at the first rate. */
  readonly otherBursts: readonly number[]
  readonly peak: { readonly from: number; readonly steps: number; readonly seconds: number }
  readonly allocations: { readonly width: number; readonly count: number }
  readonly idleAllocations: number
}

const mainShape: Shape = { carrier: 'channel', direction: 'both ways', payloadBytes: 172 }

/** A quarter of an hour or so. */
export const fullPlan: Plan = {
  rounds: 3,
  seconds: 2,
  pairs: 8,
  burst: 8,
  mainShape,
  rates: [30_000, 60_000, 100_000],
  otherShapes: [
    { ...mainShape, direction: 'to peers' },
    { ...mainShape, direction: 'to clients' },
    { ...mainShape, payloadBytes: 120 },
    { ...mainShape, payloadBytes: 1_200 },
    { ...mainShape, carrier: 'indication' },
    { ...mainShape, carrier: 'indication', direction: 'to peers' },
    { ...mainShape, carrier: 'indication', direction: 'to clients' },
    { ...mainShape, carrier: 'indication', payloadBytes: 1_200 },
  ],
  otherBursts: [1, 16],
  peak: { from: 5_000, steps: 4, seconds: 1 },
  allocations: { width: 50, count: 3_000 },
  idleAllocations: 2_000,
}

/** Two minutes or so: shows the order of things, and that the benchmark works. */
export const quickPlan: Plan = {
  ...fullPlan,
  rounds: 2,
  seconds: 0.5,
  rates: [30_000, 60_000],
  otherShapes: fullPlan.otherShapes.slice(3, 5),
  otherBursts: [1],
  peak: { from: 5_000, steps: 2, seconds: 0.3 },
  allocations: { width: 50, count: 600 },
  idleAllocations: 400,
}
