import { StartError } from '@parley/service'
import type { Log } from '@parley/service'
import { createWorker } from 'mediasoup'
import type { types } from 'mediasoup'
import { attempt } from './attempt.ts'

/** A worker that does not answer the watchdog in time counts as hung. */
const MEASURE_WITHIN_MS = 2_000

/** Where a worker takes media. */
export interface WorkerPorts {
  readonly udp: number
  readonly tcp: number
}

interface Running {
  readonly worker: types.Worker
  readonly server: types.WebRtcServer
}

export interface WorkerPoolOptions {
  /** Bind address. */
  readonly listen: string
  /** Port of the first worker; 0 lets the system choose for each. */
  readonly firstPort: number
  readonly announcedAddress: string
  readonly log: Log
}

/** The worker processes, each with a WebRtcServer on a port of its own. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #running = new Map<number, Running>()
  /** Kept over deaths: a replacement listens where its predecessor did. */
  readonly #ports = new Map<number, WorkerPorts>()
  /** Resolved when the last process of a slot has let go of its port. */
  readonly #gone = new Map<number, Promise<void>>()
  #onDeath: (worker: number) => void = () => undefined
  #closed = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /** Sets the one listener for deaths. */
  onDeath(listener: (worker: number) => void): void {
    this.#onDeath = listener
  }

  /** Starts the process of a slot. Rejects with {@link StartError}. */
  async start(slot: number): Promise<void> {
    await this.#gone.get(slot)
    const worker = await launch()
    const gone = new Promise<void>((resolve) => worker.once('subprocessclose', resolve))
    this.#gone.set(slot, gone)
    try {
      const { server, ports } = await this.#serve(worker, slot)
      if (this.#closed) throw new StartError('The node is stopping.')
      this.#ports.set(slot, ports)
      this.#running.set(slot, { worker, server })
    } catch (error) {
      worker.close()
      throw error
    }
    worker.once('died', (error) => {
      this.#options.log.debug({ worker: slot, error: error.message }, 'worker process ended')
      this.#running.delete(slot)
      if (!this.#closed) this.#onDeath(slot)
    })
  }

  get(slot: number): Running | undefined {
    return this.#running.get(slot)
  }

  ports(): readonly WorkerPorts[] {
    return [...this.#ports].sort(([a], [b]) => a - b).map(([, ports]) => ports)
  }

  pid(slot: number): number | undefined {
    return this.#running.get(slot)?.worker.pid
  }

  /** User and system time that a worker has used, milliseconds; undefined without an answer. */
  async cpuMs(slot: number): Promise<number | undefined> {
    const running = this.#running.get(slot)
    if (running === undefined) return undefined
    const usage = await attempt(() => running.worker.getResourceUsage(), {
      withinMs: MEASURE_WITHIN_MS,
    })
    return usage.ok ? usage.data.ru_utime + usage.data.ru_stime : undefined
  }

  kill(slot: number): void {
    const pid = this.pid(slot)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }

  /** Ends all workers; resolves when their processes are gone. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { worker } of this.#running.values()) end(worker)
    this.#running.clear()
    await Promise.all(this.#gone.values())
  }

  async #serve(worker: types.Worker, slot: number) {
    const { listen, firstPort, announcedAddress } = this.#options
    const chosen = firstPort === 0 ? 0 : firstPort + slot
    const wanted = this.#ports.get(slot) ?? { udp: chosen, tcp: chosen }
    const created = await attempt(() =>
      worker.createWebRtcServer({
        listenInfos: [
          { protocol: 'udp', ip: listen, port: wanted.udp, announcedAddress },
          { protocol: 'tcp', ip: listen, port: wanted.tcp, announcedAddress },
        ],
      }),
    )
    if (!created.ok) throw portError(created.error.message, listen, wanted.udp)
    const server = created.data
    const bound = await attempt(() => server.dump())
    if (!bound.ok) throw new StartError('A media worker started but does not answer.')
    const ports = {
      udp: bound.data.udpSockets[0]?.port ?? wanted.udp,
      tcp: bound.data.tcpServers[0]?.port ?? wanted.tcp,
    }
    return { server, ports }
  }
}

/**
 * Starts one worker process. mediasoup has each worker close itself when this process is asked to
 * stop, which would end every call at the first second of a drain; so its listeners are taken off.
 */
async function launch(): Promise<types.Worker> {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]))
  try {
    return await createWorker({ logLevel: 'warn' })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(
      reason.includes('ENOENT')
        ? 'The media worker is missing. Run `npm run setup`, which fetches or builds it.'
        : `The media worker does not start (${reason}). Run \`npm run setup\` to get a sound one.`,
    )
  } finally {
    for (const [signal, ours] of before) {
      const added = process.listeners(signal).filter((listener) => !ours.includes(listener))
      for (const listener of added) process.removeListener(signal, listener)
    }
  }
}

/** A worker whose channel is broken cannot be told to end, and must not keep the others running. */
function end(worker: types.Worker): void {
  try {
    worker.close()
  } catch {
    process.kill(worker.pid, 'SIGKILL')
  }
}

function portError(message: string, listen: string, port: number): StartError {
  if (message.includes('address already in use')) {
    return new StartError(
      `Port ${port} on ${listen} is already in use. Stop the other process, or set PARLEY_SFU_PORT to a free one.`,
    )
  }
  if (message.includes('address not available') || message.includes('invalid IP')) {
    return new StartError(`${listen} is not an address of this machine. Change PARLEY_SFU_LISTEN.`)
  }
  return new StartError(
    `Port ${port} on ${listen} cannot be used for media (${message}). Check PARLEY_SFU_LISTEN and PARLEY_SFU_PORT.`,
  )
}
