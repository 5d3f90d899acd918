import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A Redis that can be killed, and started again with nothing in it. */
export class RedisProcess {
  readonly #port: number
  #child: ChildProcess | undefined

  constructor(port: number) {
    this.#port = port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const args = ['--port', `${this.#port}`, '--bind', '127.0.0.1', '--save', '', '--dir', '/tmp']
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    let output = ''
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', () => reject(new Error(`redis-server did not start:\n${output}`)))
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('Ready to accept connections')) resolve()
      })
    })
  }

  /** Writes down all that it is told from now on, in whatever command; answers that so far. */
  async overhear(): Promise<() => string> {
    const ear = spawn('redis-cli', ['-p', `${this.#port}`, 'MONITOR'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let heard = ''
    // It says OK as soon as it listens, and ends with the server.
    await new Promise<void>((resolve, reject) => {
      ear.once('error', reject)
      ear.stdout.on('data', (chunk: Buffer) => {
        heard += chunk.toString()
        resolve()
      })
    })
    return () => heard
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}
