import type { Log } from '@parley/service'
import { formatHostPort, listenError } from '@parley/service'
import { Commons } from './core/commons.ts'
import type { Drain } from './core/server-state.ts'
import type { Session, SessionSelector } from './core/sessions.ts'
import { startEngine } from './engine.ts'
import type { EngineKeys, EngineOptions } from './engine.ts'
import type { FleetMember } from './fleet-member.ts'
import { localMember } from './fleet-member.ts'
import { listenForStreams } from './io/tcp.ts'
import { openUdp } from './io/udp.ts'
import type { ListenerAddress } from './setting-values.ts'
import type { SpawnWorker } from './thread-member.ts'
import { startThreadMember } from './thread-member.ts'

/** The first wait before a dead worker is replaced, and the longest: each failure doubles it. */
const FIRST_RESTART_MS = 100
const LAST_RESTART_MS = 30_000

/** A session and the worker that has it. */
export interface FleetSession extends Session {
  readonly worker: number
}

/** What a fleet is made with. */
export interface FleetParts {
  readonly options: EngineOptions
  readonly workers: number
  readonly spawn: SpawnWorker
  readonly log: Log
}

/**
 * The engines of one server: one in this thread, or several in threads of their own on the same
 * ports. A thread that dies takes its sessions along, no more, and is replaced.
 */
export class Fleet {
  readonly #parts: FleetParts
  readonly #members: (FleetMember | undefined)[] = []
  readonly #restarts = new Set<NodeJS.Timeout>()
  /** As the engines of today would be started. */
  #options: EngineOptions
  #isClosed = false

  private constructor(parts: FleetParts) {
    this.#parts = parts
    this.#options = parts.options
  }

  /** Rejects with `StartError`, and leaves nothing open, when a listener cannot be bound. */
  static async start(parts: FleetParts): Promise<Fleet> {
    const fleet = new Fleet(parts)
    try {
      await fleet.#startAll()
      return fleet
    } catch (error) {
      await fleet.close()
      throw error
    }
  }

  /** In the order of the options, with the ports that were bound. */
  get listeners(): readonly ListenerAddress[] {
    return this.#options.listeners
  }

  async sessions(): Promise<readonly FleetSession[]> {
    const lists = this.#members.map(async (member, worker) => {
      const sessions = (await member?.sessions()) ?? []
      return sessions.map((session) => ({ ...session, worker }))
    })
    return (await Promise.all(lists)).flat()
  }

  /** Ends sessions, of one worker where only that one is meant; gives back how many. */
  async endSessions(selector: SessionSelector, worker?: number): Promise<number> {
    const members = worker === undefined ? this.#members : [this.#members[worker]]
    const counts = members.map(async (member) => (await member?.endSessions(selector)) ?? 0)
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  }

  async drain(drain: Drain | undefined): Promise<void> {
    this.#options = { ...this.#options, drain }
    await Promise.all(this.#members.map(async (member) => member?.drain(drain)))
  }

  async useKeys(keys: EngineKeys): Promise<void> {
    this.#options = { ...this.#options, keys }
    await Promise.all(this.#members.map(async (member) => member?.useKeys(keys)))
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#restarts) clearTimeout(timer)
    this.#restarts.clear()
    const members = this.#members.splice(0)
    await Promise.all(members.map(async (member) => member?.close()))
  }

  async #startAll(): Promise<void> {
    const { workers, log } = this.#parts
    if (workers === 1) {
      const member = localMember(
        await startEngine(this.#options, { log, forward: () => undefined }),
      )
      this.#members.push(member)
      this.#options = { ...this.#options, listeners: member.listeners }
      return
    }
    await this.#probe()
    // The first one finds the ports that the others share.
    const first = await this.#startThread(0)
    this.#members[0] = first
    this.#options = { ...this.#options, listeners: first.listeners }
    const others = Array.from({ length: workers - 1 }, (_, index) => index + 1)
    const outcomes = await Promise.allSettled(
      others.map(async (worker) => {
        this.#members[worker] = await this.#startThread(worker)
      }),
    )
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  /** A port that can be shared would be shared with a stranger too, so somebody asks first. */
  async #probe(): Promise<void> {
    for (const address of this.#options.listeners) {
      if (address.port === 0) continue
      try {
        const isUdp = address.transport === 'udp'
        const probe = isUdp
          ? await openUdp(address, () => undefined)
          : await listenForStreams(address, (socket) => socket.destroy())
        probe.close()
      } catch (error) {
        // Sockets reject with nothing but errors of the system.
        const systemError = error as NodeJS.ErrnoException
        const name = `${address.transport}://${formatHostPort(address)}`
        throw listenError(systemError, name, 'PARLEY_TURN_LISTEN')
      }
    }
  }

  #startThread(worker: number): Promise<FleetMember> {
    const { spawn, log } = this.#parts
    const start = { options: { ...this.#options, worker }, logLevel: log.level }
    return startThreadMember(start, {
      spawn,
      onStray: (owner, datagram) => this.#members[owner]?.takeStray(datagram),
      onDeath: (error) => {
        log.error({ error, worker }, 'a worker died with its sessions; another takes its place')
        this.#replace(worker, FIRST_RESTART_MS)
      },
    })
  }

  #replace(worker: number, waitMs: number): void {
    this.#members[worker] = undefined
    if (this.#isClosed) return
    // What the dead one held in shared memory would be held for ever.
    new Commons(this.#options.memory, worker, this.#options.limits).forget()
    const timer = setTimeout(() => {
      this.#restarts.delete(timer)
      this.#startThread(worker).then(
        (member) => {
          if (this.#isClosed) {
            void member.close()
            return
          }
          this.#members[worker] = member
          // Either may have changed while the thread was starting.
          void member.useKeys(this.#options.keys)
          void member.drain(this.#options.drain)
        },
        (error: unknown) => {
          this.#parts.log.error({ error, worker }, 'a worker could not be started')
          this.#replace(worker, Math.min(2 * waitMs, LAST_RESTART_MS))
        },
      )
    }, waitMs)
    this.#restarts.add(timer)
  }
}
