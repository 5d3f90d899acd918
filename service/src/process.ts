import { createLog } from './log.ts'
import type { Log } from './log.ts'
import { SettingsError } from './settings.ts'
import { Shutdown } from './shutdown.ts'
import { StartError } from './start-error.ts'

/** Exit code for a configuration that cannot work; restarting without a change does not help. */
const EXIT_BAD_CONFIGURATION = 2

/**
 * Runs a server process: `start` opens its parts and registers their stops; SIGTERM and SIGINT stop
 * them in reverse order. A reason not to start is printed in words, without a stack.
 *
 * @param name what the log calls the process.
 * @param level log level; read from the settings before anything is opened.
 */
export async function runProcess(
  name: string,
  start: (context: {
    readonly shutdown: Shutdown
    openLog: (level: string) => Log
  }) => Promise<void>,
): Promise<void> {
  let log = createLog(name)
  const openLog = (level: string) => (log = createLog(name, { level }))
  const shutdown = new Shutdown(log)
  const stop = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping')
    void shutdown.stop().then(() => {
      log.info('stopped')
      process.exit(0)
    })
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  try {
    await start({ shutdown, openLog })
  } catch (error) {
    await shutdown.stop()
    if (error instanceof SettingsError || error instanceof StartError) {
      process.stderr.write(`${name} cannot start.\n${error.message}\n`)
      process.exit(EXIT_BAD_CONFIGURATION)
    }
    throw error
  }
}
