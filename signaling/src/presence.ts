import type {
  DeviceId,
  Grants,
  Millis,
  Presence,
  PresenceStatus,
  ServerEvent,
  SessionId,
  UserId,
} from '@parley/protocol'
import { limits } from '@parley/protocol'
import { mayWatch } from './core/grants.ts'
import type { DeviceMood } from './core/neighbours.ts'

/** Whom a token lets its bearer watch. */
type PresenceGrant = Pick<Grants, 'presence'>

/** What presence is made of, and where its changes go. */
export interface PresencePorts {
  now(): Millis
  connectedUsers(): readonly UserId[]
  connectedDevices(user: UserId): readonly DeviceId[]
  /** What the user's devices tell of him, those included that are away for a moment. */
  moodsOf(user: UserId): ReadonlyMap<DeviceId, DeviceMood>
  isInCall(user: UserId): boolean
  tellSession(id: SessionId, event: ServerEvent): void
}

/** People whose last hour is remembered after they have gone; the earliest gone are forgotten. */
const MOST_LAST_SEEN = 10_000

const ABSENT: Presence['status'] = 'offline'

/** Who is there: answers watchers with the present state, then with changes, gathered for a moment. */
export class PresenceFeed {
  readonly #ports: PresencePorts
  /** Whom a session watches by name. */
  readonly #watching = new Map<SessionId, ReadonlySet<UserId>>()
  readonly #watchers = new Map<UserId, Set<SessionId>>()
  /** Who watches all whom he may. */
  readonly #watchersOfAll = new Map<SessionId, PresenceGrant>()
  readonly #lastSeen = new Map<UserId, Millis>()
  /** What watchers were last told, so that only changes are sent. */
  readonly #told = new Map<UserId, PresenceStatus>()
  readonly #changed = new Set<UserId>()
  #due: Millis | undefined

  constructor(ports: PresencePorts) {
    this.#ports = ports
  }

  /** Watches these people in place of those of before; without a list, all who may be watched. */
  subscribe(
    session: SessionId,
    users: readonly UserId[] | undefined,
    grants: PresenceGrant,
  ): { readonly users: Presence[]; readonly refused: UserId[] } {
    this.unsubscribe(session)
    if (users === undefined) {
      this.#watchersOfAll.set(session, grants)
      const there = this.#ports.connectedUsers().filter((user) => mayWatch(grants, user))
      const present = there.map((user) => this.presenceOf(user))
      return { users: present.filter(({ status }) => status !== ABSENT), refused: [] }
    }
    const asked = [...new Set(users)]
    const watched = asked.filter((user) => mayWatch(grants, user))
    this.#watching.set(session, new Set(watched))
    for (const user of watched) {
      const sessions = this.#watchers.get(user) ?? new Set()
      this.#watchers.set(user, sessions.add(session))
    }
    return {
      users: watched.map((user) => this.presenceOf(user)),
      refused: asked.filter((user) => !watched.includes(user)),
    }
  }

  /** What a session may watch has changed: of others it hears no more. */
  confine(session: SessionId, grants: PresenceGrant): void {
    if (this.#watchersOfAll.has(session)) this.#watchersOfAll.set(session, grants)
    const watched = this.#watching.get(session)
    if (watched) this.subscribe(session, [...watched], grants)
  }

  unsubscribe(session: SessionId): void {
    const watched = this.#watching.get(session)
    this.#watching.delete(session)
    this.#watchersOfAll.delete(session)
    for (const user of watched ?? []) {
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
      for (const [session, grants] of this.#watchersOfAll) {
        if (mayWatch(grants, user)) append(news, session, presence)
      }
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
