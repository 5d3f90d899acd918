import type { Presence, ServerEvent, SessionId, UserId } from '@parley/protocol'

/** What presence is made of, and where its changes go. */
export interface PresencePorts {
  connectedUsers(): readonly UserId[]
  isConnected(user: UserId): boolean
  isInCall(user: UserId): boolean
  tellSession(id: SessionId, event: ServerEvent): void
}

/** Who is there: answers subscribers with the present state, then with each change. */
export class PresenceFeed {
  readonly #ports: PresencePorts
  readonly #subscribers = new Set<SessionId>()
  /** What subscribers were last told, so that only changes are sent. */
  readonly #told = new Map<UserId, Presence['status']>()

  constructor(ports: PresencePorts) {
    this.#ports = ports
  }

  subscribe(session: SessionId): readonly Presence[] {
    this.#subscribers.add(session)
    return this.#ports.connectedUsers().map((user) => this.#presenceOf(user))
  }

  unsubscribe(session: SessionId): void {
    this.#subscribers.delete(session)
  }

  /** Looks at a user again and tells the subscribers if anything is new. */
  refresh(user: UserId): void {
    const presence = this.#presenceOf(user)
    if ((this.#told.get(user) ?? 'offline') === presence.status) return
    if (presence.status === 'offline') this.#told.delete(user)
    else this.#told.set(user, presence.status)
    for (const session of this.#subscribers) {
      this.#ports.tellSession(session, { type: 'presence', data: { users: [presence] } })
    }
  }

  #presenceOf(user: UserId): Presence {
    if (!this.#ports.isConnected(user)) return { user, status: 'offline' }
    return { user, status: this.#ports.isInCall(user) ? 'in-call' : 'online' }
  }
}
