/** What a process holds, in bytes. */
export interface Memory {
  readonly heap: number
  readonly resident: number
}

/** How much more may be held at the end: pools and compiled code grow for a while. */
const MOST_HEAP_GROWTH = 8 * 1024 * 1024
const MOST_RESIDENT_GROWTH = 64 * 1024 * 1024

/** What this process holds after a collection, where it was started with `--expose-gc`. */
export function memoryNow(): Memory {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss }
}

/**
 * Says whether memory stayed flat: the least of the samples in the last quarter against the least of
 * those in the second. The first quarter warms up; the least leaves out what was about to be collected.
 */
export function growthOf(samples: readonly Memory[]): Memory & { readonly isFlat: boolean } {
  const quarter = Math.floor(samples.length / 4)
  const early = samples.slice(quarter, 2 * quarter + 1)
  const late = samples.slice(-Math.max(1, quarter))
  const least = (of: readonly Memory[], pick: (memory: Memory) => number) =>
    Math.min(...of.map(pick))
  const heap = least(late, (memory) => memory.heap) - least(early, (memory) => memory.heap)
  const resident =
    least(late, (memory) => memory.resident) - least(early, (memory) => memory.resident)
  return { heap, resident, isFlat: heap < MOST_HEAP_GROWTH && resident < MOST_RESIDENT_GROWTH }
}

/** A number of bytes for a person. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
