// The set-up: `node tools/setup/main.mjs [purpose]`. Plain JavaScript without dependencies, because
// it runs before anything is installed, on whatever Node (20 or newer) the machine has.
import { hasPatientCommand, stopCommands } from './command.mjs'
import { contextFrom } from './context.mjs'
import { SetupFailure } from './failure.mjs'
import { releaseAllLocks } from './lock.mjs'
import { helpText, parseCommandLine } from './purposes.mjs'
import { prepare } from './steps.mjs'

/** How a shell would name the end by each signal: 128 and the signal's number. */
const EXIT_CODES = /** @type {const} */ ({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })

/** Below it, neither the set-up nor npm's lockfile is known to work. */
const OLDEST_NODE = 20

process.exit(await main(process.argv.slice(2)))

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} The exit code.
 */
async function main(args) {
  const order = parseCommandLine(args)
  if (order.type === 'help') {
    process.stdout.write(helpText())
    return 0
  }
  if (order.type === 'unknown') {
    process.stderr.write(`Unknown purpose: ${order.word}\n\n${helpText()}`)
    return 2
  }
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    process.stderr.write(`Node ${OLDEST_NODE} or newer is needed; this is ${process.version}.\n`)
    return 1
  }
  const context = contextFrom(process.env)
  const interruption = watchSignals(context.terminal)
  try {
    await Promise.race([prepare(context, order.needs), interruption.over])
  } catch (error) {
    // A step whose child was stopped fails too, usually first.
    if (interruption.exitCode() === undefined) return tell(context.terminal, error)
    await interruption.over
  }
  const exitCode = interruption.exitCode()
  if (exitCode !== undefined) return exitCode
  if (order.purpose === 'all' && !context.terminal.spoke) {
    context.terminal.line('Everything is in place.')
  }
  return 0
}

/**
 * On a signal, stops the children and frees the locks. A second signal waits for nothing.
 * @param {import('./terminal.mjs').Terminal} terminal
 * @returns {{ over: Promise<void>, exitCode: () => number | undefined }} `over` resolves once all
 *   is cleared up; the exit code is known from the signal on.
 */
function watchSignals(terminal) {
  /** @type {number | undefined} */
  let exitCode
  /** @type {Promise<void>} */
  const over = new Promise((resolve) => {
    for (const [signal, code] of Object.entries(EXIT_CODES)) {
      process.on(signal, () => {
        if (exitCode !== undefined) process.exit(code)
        exitCode = code
        const patient = hasPatientCommand()
        terminal.line(
          patient ? 'Stopping, once the package installation is through …' : 'Stopping …',
        )
        void stopCommands().then(() => {
          releaseAllLocks()
          resolve()
        })
      })
    }
  })
  return { over, exitCode: () => exitCode }
}

/**
 * @param {import('./terminal.mjs').Terminal} terminal
 * @param {unknown} error
 */
function tell(terminal, error) {
  if (!(error instanceof SetupFailure)) {
    terminal.line(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 1
  }
  terminal.line(`${terminal.paint(31, '✗')} ${error.message}`)
  for (const line of error.advice) terminal.line(`  ${line}`)
  if (error.log) terminal.line(`  The whole output: ${error.log}`)
  return 1
}
