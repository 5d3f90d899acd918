/** What a process holds, in bytes. */
export interface Memory {
  readonly heap: number
  /** Outside of V8's heap, whose young space grows with the load in steps of 16 MiB and stays so. */
  readonly native: number
}

/** How much more may be held at the end: pools and compiled code grow for a while. */
const MOST_HEAP_GROWTH = 8 * 1024 * 1024
const MOST_NATIVE_GROWTH = 32 * 1024 * 1024

/** What this process holds after a collection, where it was started with `--expose-gc`. */
export function memoryNow(): Memory {
  globalThis.gc?.()
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, native: rss - heapTotal }
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
  const native = least(late, (memory) => memory.native) - least(early, (memory) => memory.native)
  return { heap, native, isFlat: heap < MOST_HEAP_GROWTH && native < MOST_NATIVE_GROWTH }
}

/** A number of bytes for a person. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
