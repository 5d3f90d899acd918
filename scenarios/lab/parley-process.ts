import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TappedPacket } from './sfu-tap.ts'

/** Packets of a tap that are kept: half a minute of a few people. */
const MOST_TAPPED = 40_000

const ROOT = join(import.meta.dirname, '..', '..')

/** The whole stack as `npm start` runs it, on free ports, in a process of its own. */
export class ParleyProcess {
  readonly url: string
  readonly #tapped: TappedPacket[]
  readonly #child: ChildProcess

  private constructor(url: string, tapped: TappedPacket[], child: ChildProcess) {
    this.url = url
    this.#tapped = tapped
    this.#child = child
  }

  /**
   * Starts it and waits for the address that it prints. `tap` copies all media inside the node; `leaky`: see
   * `leaky-node.ts`.
   */
  static async start(
    env: Readonly<Record<string, string>> = {},
    { tap = false, leaky = false }: { tap?: boolean; leaky?: boolean } = {},
  ): Promise<ParleyProcess> {
    const loaded = [...(tap ? ['sfu-tap.ts'] : []), ...(leaky ? ['leaky-node.ts'] : [])]
    const imports = loaded.flatMap((name) => ['--import', join(import.meta.dirname, name)])
    const child = spawn(process.execPath, [...imports, 'deploy/all-in-one/main.ts'], {
      cwd: ROOT,
      env: {
        ...process.env,
        PARLEY_PORT: '0',
        PARLEY_SFU_PORT: '0',
        PARLEY_TURN_LISTEN: 'udp://0.0.0.0:0,tcp://0.0.0.0:0',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe', ...(tap ? (['ipc'] as const) : [])],
      serialization: 'advanced',
    })
    const tapped: TappedPacket[] = []
    child.on('message', (message) => {
      tapped.push(message as unknown as TappedPacket)
      if (tapped.length > MOST_TAPPED) tapped.splice(0, MOST_TAPPED / 2)
    })
    let output = ''
    const url = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output += chunk.toString()
        const address = /http:\/\/localhost:\d+/.exec(output)?.[0]
        if (address !== undefined) resolve(address)
      }
      child.stdout?.on('data', read)
      child.stderr?.on('data', read)
      child.once('exit', () => reject(new Error(`Parley did not start:\n${output}`)))
    })
    return new ParleyProcess(url, tapped, child)
  }

  /** What the tap has heard, where there is one. */
  get tapped(): readonly TappedPacket[] {
    return this.#tapped
  }

  /** What the tap has heard so far is of no interest. */
  clearTap(): void {
    this.#tapped.length = 0
  }

  /** One sample of the metrics endpoint, summed over its labels that contain `label`. */
  async metric(name: string, label = ''): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const samples = text
      .split('\n')
      .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)))
      .filter((line) => line.includes(label))
    return samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  /** The mediasoup workers of this process, as the kernel lists them. */
  workerPids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        const status = readProcess(pid)
        return status?.name.startsWith('mediasoup-work') && status.parent === this.#child.pid
      })
  }

  /** Stops it as an operator would. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await gone
  }
}

function readProcess(pid: number): { name: string; parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    return { name, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }
  } catch {
    return undefined
  }
}
