import type { DeviceAddress, MissedCall, Result, SessionId, UserId } from '@parley/protocol'
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

/** Leaves missed calls in mailboxes, and tells each device of those that it has not seen. */
export class MissedCalls {
  readonly #ports: MissedCallsPorts
  /** What a session was last told: what it waits for twice is said once. */
  readonly #told = new Map<SessionId, number>()
  /** What came while a session's mailbox was being read. */
  readonly #reading = new Map<SessionId, MissedCall[]>()
  #waiting: readonly { readonly user: UserId; readonly missed: NewMissedCall }[] = []
  /** Devices whose mailbox could not be read. */
  readonly #unread = new Map<SessionId, DeviceAddress>()
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
    for (const session of this.#ports.sessionsOf(user)) this.#tell(session, [put.data])
    this.#ports.tellElsewhere(user, put.data)
  }

  /** A device has a new session, or one that has lost its events. */
  async deliver(session: SessionId, at: DeviceAddress): Promise<void> {
    const { env, mailbox } = this.#ports
    this.#told.delete(session)
    const meanwhile: MissedCall[] = []
    this.#reading.set(session, meanwhile)
    const unseen = await mailbox.unseen(at.user, at.device, env.now())
    if (this.#reading.get(session) !== meanwhile) return
    this.#reading.delete(session)
    if (!unseen.ok) {
      this.#unread.set(session, at)
      this.#tryLater()
      return
    }
    const newest = unseen.data.at(-1)?.seq ?? 0
    this.#tell(session, [...unseen.data, ...meanwhile.filter(({ seq }) => seq > newest)])
  }

  acknowledge({ user, device }: DeviceAddress, seq: number): Promise<Result<void>> {
    return this.#ports.mailbox.acknowledge(user, device, seq)
  }

  forget(session: SessionId): void {
    this.#told.delete(session)
    this.#reading.delete(session)
    this.#unread.delete(session)
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

  #tryLater(): void {
    this.#retry ??= setTimeout(() => this.#tryAgain(), RETRY_MS)
  }

  #tryAgain(): void {
    this.#retry = undefined
    const waiting = this.#waiting
    const unread = [...this.#unread]
    this.#waiting = []
    this.#unread.clear()
    for (const { user, missed } of waiting) void this.leave(user, missed)
    for (const [session, at] of unread) void this.deliver(session, at)
  }
}
