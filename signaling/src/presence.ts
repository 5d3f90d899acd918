import type {
  DeviceAddress,
  DeviceId,
  Millis,
  Presence,
  PresenceStatus,
  ServerEvent,
  SessionId,
  UserId,
} from '@parley/protocol'
import { limits } from '@parley/protocol'
import type { DeviceMood } from './core/neighbours.ts'

/** Decides who may watch whom: the app's word, by token or by its server. */
export interface PresencePolicy {
  /** Those of `users` whom the watcher may watch; without a list, all whom he may. */
  allowed(
    watcher: DeviceAddress,
    users: readonly UserId[] | undefined,
  ): Promise<'everybody' | readonly UserId[]>
}

/** What presence is made of, and where its changes go. */
export interface PresencePorts {
  readonly policy: PresencePolicy
  now(): Millis
  connectedUsers(): readonly UserId[]
  connectedDevices(user: UserId): readonly DeviceId[]
  /** What the user's devices tell of him, those included that are away for a moment. */
  moodsOf(user: UserId): ReadonlyMap<DeviceId, DeviceMood>
  isInCall(user: UserId): boolean
  isOpen(session: SessionId): boolean
  tellSession(id: SessionId, event: ServerEvent): void
}

/** People whose last hour is remembered after they have gone; the earliest gone are forgotten. */
const MOST_LAST_SEEN = 10_000

const ABSENT: Presence['status'] = 'offline'

/** Who is there: answers watchers with the present state, then with changes, gathered for a moment. */
export class PresenceFeed {
  readonly #ports: PresencePorts
  /** Whom a session watches. */
  readonly #watching = new Map<SessionId, 'everybody' | ReadonlySet<UserId>>()
  readonly #watchers = new Map<UserId, Set<SessionId>>()
  readonly #watchersOfAll = new Set<SessionId>()
  readonly #lastSeen = new Map<UserId, Millis>()
  /** What watchers were last told, so that only changes are sent. */
  readonly #told = new Map<UserId, PresenceStatus>()
  readonly #changed = new Set<UserId>()
  #due: Millis | undefined

  constructor(ports: PresencePorts) {
    this.#ports = ports
  }

  /** Watches these people in place of those of before; without a list, all who may be watched. */
  async subscribe(
    session: SessionId,
    at: DeviceAddress,
    users: readonly UserId[] | undefined,
  ): Promise<{ readonly users: Presence[]; readonly refused: UserId[] }> {
    const allowed = await this.#ports.policy.allowed(at, users)
    if (!this.#ports.isOpen(session)) return { users: [], refused: [] }
    this.unsubscribe(session)
    if (allowed === 'everybody' && users === undefined) {
      this.#watching.set(session, 'everybody')
      this.#watchersOfAll.add(session)
      const present = this.#ports.connectedUsers().map((user) => this.presenceOf(user))
      return { users: present.filter(({ status }) => status !== ABSENT), refused: [] }
    }
    const may = allowed === 'everybody' ? (users ?? []) : allowed
    const watched = new Set((users ?? may).filter((user) => may.includes(user)))
    this.#watching.set(session, watched)
    for (const user of watched) {
      const sessions = this.#watchers.get(user) ?? new Set()
      this.#watchers.set(user, sessions.add(session))
    }
    return {
      users: [...watched].map((user) => this.presenceOf(user)),
      refused: [...new Set(users)].filter((user) => !watched.has(user)),
    }
  }

  unsubscribe(session: SessionId): void {
    const watched = this.#watching.get(session)
    this.#watching.delete(session)
    this.#watchersOfAll.delete(session)
    if (watched === undefined || watched === 'everybody') return
    for (const user of watched) {
      const sessions = this.#watchers.get(user)
      sessions?.delete(session)
      if (sessions?.size === 0) this.#watchers.delete(user)
    }
  }

  /** Looks at a user again; watchers are told at the next tick if anything is new. */
  refresh(user: UserId): void {
    const { status } = this.presenceOf(user)
    if ((this.#told.get(user) ?? ABSENT) === status) return
    // Who hides is last seen when he hid: he leaves later, unseen.
    if (status === ABSENT) this.#see(user)
    this.#changed.add(user)
    this.#due ??= this.#ports.now() + limits.presenceTickMs
  }

  nextDeadline(): Millis | undefined {
    return this.#due
  }

  /** Tells each watcher what has changed for him, in one event. */
  tick(now: Millis): void {
    if (this.#due === undefined || this.#due > now) return
    this.#due = undefined
    const news = new Map<SessionId, Presence[]>()
    for (const user of this.#changed) {
      const presence = this.presenceOf(user)
      if ((this.#told.get(user) ?? ABSENT) === presence.status) continue
      if (presence.status === ABSENT) this.#told.delete(user)
      else this.#told.set(user, presence.status)
      for (const session of this.#watchersOfAll) append(news, session, presence)
      for (const session of this.#watchers.get(user) ?? []) append(news, session, presence)
    }
    this.#changed.clear()
    for (const [session, users] of news) {
      this.#ports.tellSession(session, { type: 'presence', data: { users } })
    }
  }

  /** What others see of a user. */
  presenceOf(user: UserId): Presence {
    const devices = this.#ports.connectedDevices(user)
    const lastSeen = this.#lastSeen.get(user)
    const moods = this.#ports.moodsOf(user)
    if (devices.length === 0 || [...moods.values()].includes('invisible')) {
      return { user, status: ABSENT, ...(lastSeen !== undefined && { lastSeen }) }
    }
    if (this.#ports.isInCall(user)) return { user, status: 'in-call' }
    const away = devices.every((device) => moods.get(device) === 'away')
    return { user, status: away ? 'away' : 'online' }
  }

  #see(user: UserId): void {
    this.#lastSeen.delete(user)
    this.#lastSeen.set(user, this.#ports.now())
    const [earliest] = this.#lastSeen.keys()
    if (this.#lastSeen.size > MOST_LAST_SEEN && earliest !== undefined) {
      this.#lastSeen.delete(earliest)
    }
  }
}

function append(news: Map<SessionId, Presence[]>, session: SessionId, presence: Presence): void {
  const list = news.get(session)
  if (list) list.push(presence)
  else news.set(session, [presence])
}
