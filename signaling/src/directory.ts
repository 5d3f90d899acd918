import type {
  DeviceAddress,
  DeviceId,
  ServerEvent,
  SessionId,
  UserId,
  Welcome,
} from '@parley/protocol'
import { limits } from '@parley/protocol'
import { attach, detach, newSession, record } from './core/session.ts'
import type { Session } from './core/session.ts'
import type { ClientSocket, Environment } from './ports.ts'

/** Bytes of randomness in a session id and in the key that proves its ownership. */
const SESSION_ID_BYTES = 12
const RESUME_KEY_BYTES = 24

/** What a client asks to get back. */
export interface ResumeRequest {
  readonly session: SessionId
  readonly key: string
  readonly lastSeq: number
}

/** How a connection began. */
export interface Opened {
  readonly session: SessionId
  readonly resumeKey: string
  readonly resumed: Welcome['resumed']
  /** Sends the events that the client missed; after the welcome. */
  readonly replay: () => void
}

/** What a device does about a second call. */
export type CallWaiting = 'ring' | 'busy'

interface Entry {
  session: Session
  socket: ClientSocket | undefined
  callWaiting: CallWaiting
}

/** Who is here: sessions by id and by device, and the sockets that they are reached through. */
export class Directory {
  readonly #env: Environment
  readonly #entries = new Map<SessionId, Entry>()
  readonly #byUser = new Map<UserId, Map<DeviceId, SessionId>>()

  constructor(env: Environment) {
    this.#env = env
  }

  /** Opens a session for a verified device, or gives it back the one that it lost. Close its
   * `obstacle` first.
   */
  open(at: DeviceAddress, socket: ClientSocket, resume: ResumeRequest | undefined): Opened {
    const entry = resume && this.#resumable(at, resume)
    if (!resume || !entry) return this.#openNew(at, socket)
    // The old socket may not have noticed yet that it is dead: the newer one wins at once.
    entry.socket?.close()
    const { session, resumption } = attach(entry.session, resume.lastSeq)
    entry.session = session
    entry.socket = socket
    return {
      session: session.id,
      resumeKey: session.key,
      resumed: resumption.verdict,
      replay: () => {
        if (resumption.verdict !== 'replayed') return
        for (const frame of resumption.frames) socket.send(frame)
      },
    }
  }

  /**
   * The session that stands in the way of a new one for this device; none where `resume` proves that
   * the client is the same one.
   */
  obstacle(at: DeviceAddress, resume: ResumeRequest | undefined): SessionId | undefined {
    return resume && this.#resumable(at, resume)
      ? undefined
      : this.#byUser.get(at.user)?.get(at.device)
  }

  /** The socket is gone. `false` if the session has a newer one already. */
  detach(id: SessionId, socket: ClientSocket): boolean {
    const entry = this.#entries.get(id)
    if (entry?.socket !== socket) return false
    entry.socket = undefined
    entry.session = detach(entry.session, this.#env.now())
    return true
  }

  /** Ends a session; its socket, if any, is closed. */
  close(id: SessionId): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    this.#entries.delete(id)
    const { user, device } = entry.session
    const devices = this.#byUser.get(user)
    if (devices?.get(device) === id) devices.delete(device)
    if (devices?.size === 0) this.#byUser.delete(user)
    entry.socket?.close()
  }

  find(id: SessionId): Session | undefined {
    return this.#entries.get(id)?.session
  }

  /** The devices of a user that have a socket now. */
  connectedDevices(user: UserId): readonly DeviceId[] {
    const devices = this.#byUser.get(user) ?? new Map<DeviceId, SessionId>()
    return [...devices]
      .filter(([, id]) => this.#entries.get(id)?.socket !== undefined)
      .map(([device]) => device)
  }

  /** What a device does about a second call; the same for all connections of its session. */
  callWaiting({ user, device }: DeviceAddress): CallWaiting {
    const id = this.#byUser.get(user)?.get(device)
    return (id === undefined ? undefined : this.#entries.get(id)?.callWaiting) ?? 'ring'
  }

  prefer(id: SessionId, callWaiting: CallWaiting): void {
    const entry = this.#entries.get(id)
    if (entry) entry.callWaiting = callWaiting
  }

  /** Users with at least one connected device. */
  connectedUsers(): readonly UserId[] {
    return [...this.#byUser.keys()].filter((user) => this.connectedDevices(user).length > 0)
  }

  /** Sends an event to a device, now or when its socket is back. */
  tell({ user, device }: DeviceAddress, event: ServerEvent): void {
    const id = this.#byUser.get(user)?.get(device)
    if (id !== undefined) this.tellSession(id, event)
  }

  tellSession(id: SessionId, { type, data }: ServerEvent): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    const { session, frame } = record(entry.session, type, data)
    entry.session = session
    entry.socket?.send(frame)
  }

  /** Ids of all sessions, connected or away. */
  ids(): readonly SessionId[] {
    return [...this.#entries.keys()]
  }

  get size(): number {
    return this.#entries.size
  }

  #resumable(at: DeviceAddress, resume: ResumeRequest): Entry | undefined {
    const entry = this.#entries.get(resume.session)
    const known =
      entry?.session.key === resume.key &&
      entry.session.user === at.user &&
      entry.session.device === at.device
    return known ? entry : undefined
  }

  #openNew(at: DeviceAddress, socket: ClientSocket): Opened {
    const devices = this.#byUser.get(at.user) ?? new Map<DeviceId, SessionId>()
    const session = newSession({
      // Made here, so it has the shape that the brand stands for.
      id: this.#env.randomId(SESSION_ID_BYTES) as SessionId,
      key: this.#env.randomId(RESUME_KEY_BYTES).slice(0, limits.idLength),
      user: at.user,
      device: at.device,
    })
    this.#entries.set(session.id, { session, socket, callWaiting: 'ring' })
    devices.set(at.device, session.id)
    this.#byUser.set(at.user, devices)
    return {
      session: session.id,
      resumeKey: session.key,
      resumed: 'new',
      replay: () => undefined,
    }
  }
}
