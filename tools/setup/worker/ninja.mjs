/**
 * Reads Ninja's progress, `[12/260] …`.
 * @param {string} line
 * @returns {{ done: number, total: number } | undefined}
 */
export function ninjaProgress(line) {
  const match = /^\[(\d+)\/(\d+)\] /.exec(line)
  return match ? { done: Number(match[1]), total: Number(match[2]) } : undefined
}

/**
 * How many compilers may run at once. Each takes up to 800 MB on the worker's largest files, so a
 * small machine runs fewer than it has cores rather than being killed for memory.
 * @param {{ cores: number, freeBytes: number }} machine
 */
export function compilerCount({ cores, freeBytes }) {
  return Math.max(1, Math.min(cores, Math.floor(freeBytes / 800e6)))
}

/**
 * What a failed build complains of: the first error of the compiler, the linker or CMake.
 * @param {string} output
 */
export function buildComplaint(output) {
  const lines = output.split('\n')
  const first = lines.find((line) => /\berror\b|undefined reference|CMake Error/i.test(line))
  return (first ?? lines.findLast((line) => line.trim()) ?? 'nothing').trim().slice(0, 300)
}
