import { run } from '../command.mjs'

/**
 * @typedef {{ result: 'runs' }
 *   | { result: 'lacks-libraries', libraries: readonly string[] }
 *   | { result: 'fails', reason: string }} Trial
 */

/** A worker started by anyone but mediasoup ends with this code, once it has been loaded. */
const NOT_MY_FATHER = 41

/**
 * Whether a worker's binary loads on this machine. This proves no more than that.
 * @param {string} worker
 * @returns {Promise<Trial>}
 */
export async function tryWorker(worker) {
  const { code, output } = await run(worker, [], { env: {} })
  const trial = judgeTrial(code, output)
  if (trial.result !== 'lacks-libraries') return trial
  // The loader names one library and stops; ldd names them all.
  const listed = librariesNotFound((await run('ldd', [worker])).output)
  return listed.length > 0 ? { result: 'lacks-libraries', libraries: listed } : trial
}

/**
 * @param {number} code
 * @param {string} output
 * @returns {Trial}
 */
export function judgeTrial(code, output) {
  if (code === NOT_MY_FATHER) return { result: 'runs' }
  const library = /error while loading shared libraries: (\S+):/.exec(output)?.[1]
  if (library) return { result: 'lacks-libraries', libraries: [library] }
  return { result: 'fails', reason: output.trim().split('\n')[0] || `it ends with code ${code}` }
}

/**
 * Reads the libraries that `ldd` did not find.
 * @param {string} output
 */
export function librariesNotFound(output) {
  return [...output.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '')
}
