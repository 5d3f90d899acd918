/**
 * Server processes of a test, started, watched and stopped.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** The checkout. */
export const root = join(import.meta.dirname, '../..')

/** A started program, with what it has printed so far. */
export class RunningProgram {
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()
  #output = ''
  #isClosed = false

  /** `env` is the whole environment, but for the search path. */
  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, args, {
      cwd: root,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString()
        this.#wake()
      })
    }
    this.#child.once('error', (error) => (this.#output += error.message))
    this.#child.once('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  get output(): string {
    return this.#output
  }

  /** Resolves with the match once it is printed; rejects, with what was, if it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output)
      if (match) return match
      if (this.#isClosed) throw new Error(`it ended without ${pattern.source}:\n${this.#output}`)
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    while (!this.#isClosed) await new Promise<void>((resolve) => this.#waiting.add(resolve))
    return this.#child.exitCode ?? this.#child.signalCode
  }

  /** Asks it to stop, and says how it ended; idempotent. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    if (!this.#isClosed) this.#child.kill('SIGTERM')
    return this.ended()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

/** A port of loopback that is free for UDP and TCP. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server that listens always has an address object.
  const { port } = server.address() as AddressInfo
  const socket = createSocket('udp4')
  try {
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    return port
  } catch {
    return await freePort()
  } finally {
    socket.close()
    server.close()
    await once(server, 'close')
  }
}
