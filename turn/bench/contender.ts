import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Login } from './turn-session.ts'

/** How to start what is measured. */
export interface Contender {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** `undefined` for a bare forwarder, which speaks no TURN. */
  readonly login: Login | undefined
  /** The port it listens on; `undefined` when it prints that as its first line. */
  readonly port?: number
}

/** A contender that runs. */
export interface Running extends Contender {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/** Starts a contender and waits until it says where it listens, if it does. */
export async function start(contender: Contender): Promise<Running> {
  const child = spawn(contender.command, contender.args, { stdio: ['ignore', 'pipe', 'ignore'] })
  // One that outlives a benchmark cut short would share its port with the next.
  process.once('exit', () => child.kill('SIGKILL'))
  const port = contender.port ?? (await firstNumber(child, contender.name))
  if (child.pid === undefined) throw new Error(`${contender.name} did not start`)
  return {
    ...contender,
    port,
    pid: child.pid,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          resolve()
        })
        if (child.exitCode !== null || !child.kill('SIGKILL')) resolve()
      }),
  }
}

function firstNumber(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => {
      reject(new Error(`${name} ended before it listened`))
    })
    if (!child.stdout) return
    createInterface({ input: child.stdout }).once('line', (line) => {
      resolve(Number(line))
    })
  })
}
