import type { DeviceAddress, MissedCall, Result, SessionId, UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import type { Log } from '@parley/service'
import type { Environment } from './ports.ts'
import type { Mailbox, NewMissedCall } from './store/mailbox.ts'

/** What missed calls need of their surroundings. */
export interface MissedCallsPorts {
  readonly env: Environment
  readonly log: Log
  readonly mailbox: Mailbox
  /** Sessions of a user's devices here, connected or away for a moment. */
  sessionsOf(user: UserId): readonly SessionId[]
  tell(session: SessionId, missed: readonly MissedCall[]): void
  /** Tells the user's devices that have their sessions at other nodes. */
  tellElsewhere(user: UserId, missed: MissedCall): void
  isOpen(session: SessionId): boolean
}

/** Missed calls that could not be put away, at most; they are lost beyond that. */
const MOST_WAITING = 1_000
/** How long a store that is away is left alone. */
const RETRY_MS = 5_000

interface Reading {
  readonly at: DeviceAddress
  meanwhile: readonly MissedCall[]
}

/** Leaves missed calls in mailboxes, and tells each device of those that it has not seen. */
export class MissedCalls {
  readonly #ports: MissedCallsPorts
  /** What a session was last told: what it waits for twice is said once. */
  readonly #told = new Map<SessionId, number>()
  /** Sessions whose mailbox is still to be read, and what has come for them meanwhile. */
  readonly #reading = new Map<SessionId, Reading>()
  #waiting: readonly { readonly user: UserId; readonly missed: NewMissedCall }[] = []
  #retry: NodeJS.Timeout | undefined

  constructor(ports: MissedCallsPorts) {
    this.#ports = ports
  }

  /** While the store is away, the call waits here. */
  async leave(user: UserId, missed: NewMissedCall): Promise<void> {
    const { log, mailbox } = this.#ports
    const put = await mailbox.put(user, missed)
    if (!put.ok) {
      log.warn({ call: missed.call }, 'a missed call could not be stored; trying on')
      this.#waiting = [...this.#waiting, { user, missed }].slice(-MOST_WAITING)
      this.#tryLater()
      return
    }
    for (const session of this.#ports.sessionsOf(user)) this.tell(session, [put.data])
    this.#ports.tellElsewhere(user, put.data)
  }

  /** A device has a new session, or one that has lost its events. */
  async deliver(session: SessionId, at: DeviceAddress): Promise<void> {
    this.#told.delete(session)
    this.#reading.set(session, { at, meanwhile: [] })
    // The other nodes hear of the device first: what they put after the mailbox was read they tell it.
    await new Promise((resolve) => setImmediate(resolve))
    await this.#read(session)
  }

  /** Tells a session what it was not told before, after what it has still to read. */
  tell(session: SessionId, missed: readonly MissedCall[]): void {
    const reading = this.#reading.get(session)
    if (reading) {
      reading.meanwhile = [...reading.meanwhile, ...missed].slice(-limits.missedCalls)
      return
    }
    if (!this.#ports.isOpen(session)) return
    const told = this.#told.get(session) ?? 0
    const fresh = missed.filter(({ seq }) => seq > told)
    const last = fresh.at(-1)
    if (!last) return
    this.#told.set(session, last.seq)
    this.#ports.tell(session, fresh)
  }

  acknowledge({ user, device }: DeviceAddress, seq: number): Promise<Result<void>> {
    return this.#ports.mailbox.acknowledge(user, device, seq)
  }

  forget(session: SessionId): void {
    this.#told.delete(session)
    this.#reading.delete(session)
  }

  stop(): void {
    clearTimeout(this.#retry)
  }

  async #read(session: SessionId): Promise<void> {
    const { env, mailbox } = this.#ports
    const reading = this.#reading.get(session)
    if (!reading) return
    const { user, device } = reading.at
    const unseen = await mailbox.unseen(user, device, env.now())
    if (this.#reading.get(session) !== reading) return
    if (!unseen.ok) {
      this.#tryLater()
      return
    }
    this.#reading.delete(session)
    const newest = unseen.data.at(-1)?.seq ?? 0
    this.tell(session, [...unseen.data, ...reading.meanwhile.filter(({ seq }) => seq > newest)])
  }

  #tryLater(): void {
    this.#retry ??= setTimeout(() => this.#tryAgain(), RETRY_MS)
  }

  #tryAgain(): void {
    this.#retry = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const { user, missed } of waiting) void this.leave(user, missed)
    for (const session of this.#reading.keys()) void this.#read(session)
  }
}
