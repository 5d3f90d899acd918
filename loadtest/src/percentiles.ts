/** A set of measurements in a line. */
export interface Summary {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly max: number
}

/** The smallest value that `share` (0 to 1) of all values do not exceed; `values` is ascending. */
export function percentile(values: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(share * values.length))
  return values[rank - 1] ?? 0
}

/** `undefined` where nothing was measured. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined
  const ascending = values.toSorted((a, b) => a - b)
  return {
    count: ascending.length,
    p50: percentile(ascending, 0.5),
    p95: percentile(ascending, 0.95),
    max: percentile(ascending, 1),
  }
}
