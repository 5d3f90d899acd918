import type { Log } from './log.ts'

/** How long all stop steps may take together. Longer lets slow clients finish; shorter deploys faster. */
const STOP_DEADLINE_MS = 10_000

/** Stops a process's parts in the reverse order of their start, within a deadline. */
export class Shutdown {
  readonly #log: Log
  readonly #steps: { readonly name: string; readonly stop: () => Promise<void> | void }[] = []
  #stopping: Promise<void> | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** Registers the stop of a part that has just started. */
  add(name: string, stop: () => Promise<void> | void): void {
    this.#steps.push({ name, stop })
  }

  /** Stops everything; idempotent. Resolves at the deadline at the latest. */
  stop(): Promise<void> {
    this.#stopping ??= this.#run()
    return this.#stopping
  }

  async #run(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, STOP_DEADLINE_MS, 'late')
    })
    for (const step of this.#steps.reverse()) {
      const outcome = await Promise.race([this.#attempt(step), deadline])
      if (outcome === 'late') {
        this.#log.error({ step: step.name }, 'stop took too long; leaving the rest as it is')
        break
      }
    }
    clearTimeout(timer)
  }

  async #attempt({ name, stop }: { name: string; stop: () => Promise<void> | void }) {
    try {
      await stop()
    } catch (error) {
      this.#log.error({ step: name, error }, 'a part did not stop cleanly')
    }
  }
}
