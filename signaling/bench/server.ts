import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Our signaling, or a Socket.IO server that does nothing. */
export type ServerKind = 'ours' | 'bare'

/** What a server process says of itself; times since the last reset. */
export interface Measures {
  /** V8's heap in use and what hangs on it outside. */
  readonly bytes: number
  readonly residentBytes: number
  readonly cpuMs: number
  /** The longest that its event loop stood still, and the 99th percentile. */
  readonly stallMs: number
  readonly stallP99Ms: number
  /** The most that its thread computed in one go: what of the longest stall is its own doing. */
  readonly busiestMs: number
}

/** A server in a process of its own. */
export class BenchServer {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(
    kind: ServerKind,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<BenchServer> {
    const file = fileURLToPath(new URL('server-process.ts', import.meta.url))
    // As signaling is started everywhere: garbage in small steps.
    const execArgv = ['--expose-gc', '--max-semi-space-size=4']
    const child = fork(file, [kind, JSON.stringify(settings)], { execArgv })
    const { port } = await answerOf<{ port: number }>(child)
    return new BenchServer(child, port)
  }

  async reset(): Promise<void> {
    await this.#ask('reset')
  }

  /** `collect` frees garbage first, which stalls the server: for figures of memory. */
  measure(how: 'collect' | 'as-is' = 'as-is'): Promise<Measures> {
    return this.#ask<Measures>(how)
  }

  get running(): boolean {
    return this.#child.exitCode === null
  }

  async stop(): Promise<void> {
    if (!this.running) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await gone
  }

  #ask<T>(order: string): Promise<T> {
    const answer = answerOf<T>(this.#child)
    this.#child.send(order)
    return answer
  }
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => {
      child.off('message', onMessage)
      reject(new Error(`the server process ended with ${String(code)}`))
    }
    const onMessage = (message: unknown) => {
      child.off('exit', onExit)
      // The process answers in the order that it is asked.
      resolve(message as T)
    }
    child.once('message', onMessage)
    child.once('exit', onExit)
  })
}
