import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

/** How to start one of the services, and how it tells that it is up. */
export interface ServiceSpec {
  readonly service: 'signaling' | 'sfu' | 'turn'
  readonly env: Readonly<Record<string, string>>
  readonly ready: RegExp
}

/** One service in a process of its own, which can die and come back on the same ports. */
export class ServiceProcess {
  readonly #spec: ServiceSpec
  #child: ChildProcess | undefined

  constructor(spec: ServiceSpec) {
    this.#spec = spec
  }

  /** Starts it and waits until it says that it is up. */
  async start(): Promise<void> {
    const { service, env, ready } = this.#spec
    const child = spawn(process.execPath, [`${service}/src/main.ts`], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let output = ''
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-100_000)
        if (ready.test(output)) resolve()
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.once('exit', () => reject(new Error(`${service} did not start:\n${output}`)))
    })
  }

  /** Ends it as a crash does: it cannot say a word. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Stops it as an operator would. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  // A listening TCP server has an address object.
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
