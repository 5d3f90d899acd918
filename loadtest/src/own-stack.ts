import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { ownStackEnvironment } from './config.ts'
import { SetupError } from './setup-error.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** How long a stack may take to print its address. */
const START_TIMEOUT_MS = 60_000

/** Lines of a failed start that are worth showing. */
const SHOWN_LINES = 12

/** A Parley of the run's own, in a process of its own. */
export class OwnStack {
  readonly url: URL
  readonly #child: ChildProcess

  private constructor(url: URL, child: ChildProcess) {
    this.url = url
    this.#child = child
  }

  /** Starts it and waits for the address that it prints. Throws {@link SetupError}. */
  static async start(env = ownStackEnvironment()): Promise<OwnStack> {
    const child = spawn(process.execPath, ['deploy/all-in-one/main.ts'], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C ends the run first, which then stops its Parley.
      detached: true,
    })
    process.once('exit', () => child.kill('SIGKILL'))
    let output = ''
    const address = new Promise<string>((resolve, reject) => {
      const failed = (how: string) => {
        const tail = output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')
        reject(
          new SetupError(
            `The Parley for this run ${how}. \`npm run setup\` brings the machine to readiness; ` +
              `this is what it said:\n${tail}`,
          ),
        )
      }
      const timer = setTimeout(() => failed('does not answer'), START_TIMEOUT_MS)
      const read = (chunk: Buffer) => {
        output = `${output}${chunk.toString()}`.slice(-20_000)
        const found = /http:\/\/localhost:\d+/.exec(output)?.[0]
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('exit', () => {
        clearTimeout(timer)
        failed('did not start')
      })
    })
    try {
      return new OwnStack(new URL(await address), child)
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
  }

  /** Stops it as an operator would. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await gone
  }
}
