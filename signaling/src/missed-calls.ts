import type { DeviceAddress, MissedCall, SessionId, UserId } from '@parley/protocol'
import type { Log } from '@parley/service'
import type { Environment } from './ports.ts'
import type { Mailbox, NewMissedCall } from './store/mailbox.ts'

/** What missed calls need of their surroundings. */
export interface MissedCallsPorts {
  readonly env: Environment
  readonly log: Log
  readonly mailbox: Mailbox
  /** Sessions of a user's devices, connected or away for a moment. */
  sessionsOf(user: UserId): readonly SessionId[]
  tell(session: SessionId, missed: readonly MissedCall[]): void
  isOpen(session: SessionId): boolean
}

/** Missed calls that could not be put away, at most; they are lost beyond that. */
const MOST_WAITING = 1_000
const RETRY_MS = 5_000

/** Leaves missed calls in mailboxes, and tells each device of those that it has not seen. */
export class MissedCalls {
  readonly #ports: MissedCallsPorts
  /** What a session was last told: what it waits for twice is said once. */
  readonly #told = new Map<SessionId, number>()
  /** What came while a session's mailbox was being read. */
  readonly #reading = new Map<SessionId, MissedCall[]>()
  #waiting: readonly { readonly user: UserId; readonly missed: NewMissedCall }[] = []
  #retry: NodeJS.Timeout | undefined

  constructor(ports: MissedCallsPorts) {
    this.#ports = ports
  }

  /** Never rejects: while the store is away, the call waits here. */
  async leave(user: UserId, missed: NewMissedCall): Promise<void> {
    const { log, mailbox } = this.#ports
    try {
      const entry = await mailbox.put(user, missed)
      for (const session of this.#ports.sessionsOf(user)) this.#tell(session, [entry])
    } catch (error) {
      log.warn({ err: error, call: missed.call }, 'a missed call could not be stored; trying on')
      this.#waiting = [...this.#waiting, { user, missed }].slice(-MOST_WAITING)
      this.#retry ??= setTimeout(() => this.#tryAgain(), RETRY_MS)
    }
  }

  /** A device has a new session, or one that has lost its events. */
  async deliver(session: SessionId, { user, device }: DeviceAddress): Promise<void> {
    const { env, log, mailbox } = this.#ports
    this.#told.delete(session)
    const meanwhile: MissedCall[] = []
    this.#reading.set(session, meanwhile)
    try {
      const kept = await mailbox.unseen(user, device, env.now())
      const newest = kept.at(-1)?.seq ?? 0
      const all = [...kept, ...meanwhile.filter(({ seq }) => seq > newest)]
      if (this.#reading.get(session) === meanwhile) this.#reading.delete(session)
      this.#tell(session, all)
    } catch (error) {
      this.#reading.delete(session)
      log.warn({ err: error }, 'a mailbox could not be read; the next connection tries again')
    }
  }

  async acknowledge({ user, device }: DeviceAddress, seq: number): Promise<void> {
    await this.#ports.mailbox.acknowledge(user, device, seq)
  }

  forget(session: SessionId): void {
    this.#told.delete(session)
    this.#reading.delete(session)
  }

  stop(): void {
    clearTimeout(this.#retry)
  }

  #tell(session: SessionId, missed: readonly MissedCall[]): void {
    const reading = this.#reading.get(session)
    if (reading) {
      reading.push(...missed)
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

  #tryAgain(): void {
    this.#retry = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const { user, missed } of waiting) void this.leave(user, missed)
  }
}
