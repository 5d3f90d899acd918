import { spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * @typedef {object} CommandOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] The whole environment of the child.
 * @property {(line: string) => void} [onLine] Each line of output and of errors.
 * @property {(line: string) => void} [onStatus] Each line that the child writes to descriptor 3.
 * @property {boolean} [outlives] The child must not be cut short: it is neither stopped on Ctrl-C
 *   nor when this process dies (a package manager half-way through its database).
 *
 * @typedef {{ code: number, output: string }} CommandResult `code` is 127 where the command is not
 *   found, and 128 plus the signal's number where a signal ended it, as a shell would say.
 */

/** Keeps the newest part of a child's output; the reason of a failure stands at its end. */
const MAX_OUTPUT_CHARS = 2_000_000

/** How long a child gets between being asked to stop and being made to. Milliseconds. */
const STOP_GRACE_MS = 5_000

/** @type {Set<{ pid: number, outlives: boolean, closed: Promise<void> }>} */
const running = new Set()

/**
 * Runs a command to its end, without a shell, and collects what it prints.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<CommandResult>}
 */
export async function run(command, args, options = {}) {
  const { cwd, env = process.env, onLine, onStatus, outlives = false } = options
  const path = command.includes('/') ? command : which(command, env)
  if (!path) return { code: 127, output: `${command}: command not found\n` }
  const [file, fileArgs] = outlives ? [path, args] : dyingWithParent(path, args)
  // Each child leads a process group of its own, so that its whole family can be stopped at once.
  const child = spawn(file, fileArgs, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(onStatus ? [/** @type {const} */ ('pipe')] : [])],
  })
  let output = ''
  const lines = [child.stdout, child.stderr].map((stream) =>
    eachLine(stream, (line) => {
      output = (output + line + '\n').slice(-MAX_OUTPUT_CHARS)
      onLine?.(line)
    }),
  )
  if (onStatus) lines.push(eachLine(child.stdio[3], onStatus))

  /** @type {Promise<number>} */
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      output += `${error.message}\n`
      resolve('code' in error && error.code === 'ENOENT' ? 127 : 126)
    })
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
  const closed = Promise.all([ended, ...lines]).then(() => undefined)
  const entry = child.pid === undefined ? undefined : { pid: child.pid, outlives, closed }
  if (entry) running.add(entry)
  const code = await ended
  await closed
  if (entry) running.delete(entry)
  return { code, output }
}

/**
 * Stops every running child with its descendants, except those that must not be cut short: for
 * these it waits.
 */
export async function stopCommands() {
  const children = [...running]
  for (const { pid, outlives } of children) if (!outlives) signalGroup(pid, 'SIGTERM')
  const force = setTimeout(() => {
    for (const { pid, outlives } of children) if (!outlives) signalGroup(pid, 'SIGKILL')
  }, STOP_GRACE_MS)
  await Promise.all(children.map(({ closed }) => closed))
  clearTimeout(force)
}

/** Whether a child runs that {@link stopCommands} would wait for. */
export const hasPatientCommand = () => [...running].some(({ outlives }) => outlives)

/**
 * The full path of a command, or undefined where it is not installed.
 * @param {string} command
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export function which(command, env = process.env) {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder || '.', command)
    try {
      accessSync(file, constants.X_OK)
      if (statSync(file).isFile()) return file
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}

/**
 * Wraps a command so that the kernel stops it when this process is killed: an orphaned build would
 * otherwise go on beside the one that the next run starts.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {[string, readonly string[]]}
 */
function dyingWithParent(command, args) {
  const setpriv = process.platform === 'linux' ? which('setpriv') : undefined
  return setpriv ? [setpriv, ['--pdeathsig', 'TERM', '--', command, ...args]] : [command, args]
}

/**
 * @param {unknown} stream
 * @param {(line: string) => void} onLine
 * @returns {Promise<void>}
 */
function eachLine(stream, onLine) {
  const input = /** @type {import('node:stream').Readable} */ (stream)
  return new Promise((resolve) => {
    createInterface({ input }).on('line', onLine).once('close', resolve)
  })
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
  } catch {
    // It ended in the meantime.
  }
}
