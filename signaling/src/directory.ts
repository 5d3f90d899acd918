import type {
  DeviceAddress,
  DeviceId,
  Grants,
  Millis,
  ServerEvent,
  SessionId,
  UserId,
  Welcome,
} from '@parley/protocol'
import { limits } from '@parley/protocol'
import type { SessionSight } from './admin-door.ts'
import { defaultGrants } from './core/grants.ts'
import { attach, detach, newSession, record } from './core/session.ts'
import type { Session } from './core/session.ts'
import type { DeviceMood, DeviceState, Neighbours } from './core/neighbours.ts'
import type { ForeignCall } from './core/foreign-calls.ts'
import type { ClientSocket, Environment } from './ports.ts'

/** Bytes of randomness in a session id and in the key that proves its ownership. */
const SESSION_ID_BYTES = 12
const RESUME_KEY_BYTES = 24

/** How fast clients of a server that stops are let come back. Slower leaves the last ones out longer. */
const RETURNS_PER_SECOND = 500

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

/** A session on its way from one node to another. */
export interface HandedSession {
  readonly session: Session
  readonly callWaiting: CallWaiting
  readonly mood: DeviceMood
  /** What the device sees, and where it is held. */
  readonly calls: readonly ForeignCall[]
}

/** What lies beyond this process. */
export interface Beyond {
  readonly neighbours: Neighbours
  /** Sends an event to a device of another node. */
  tell(to: DeviceAddress, event: ServerEvent): void
  /** Something about a device here has changed. */
  touched(at: DeviceAddress): void
}

interface Entry {
  session: Session
  readonly since: Millis
  socket: ClientSocket | undefined
  callWaiting: CallWaiting
  mood: DeviceMood
  grants: Grants
}

/** Who is here: sessions by id and by device, and the sockets that they are reached through. */
export class Directory {
  readonly #env: Environment
  readonly #entries = new Map<SessionId, Entry>()
  readonly #byUser = new Map<UserId, Map<DeviceId, SessionId>>()

  readonly #beyond: Beyond
  /** Whether devices of other nodes can be reached now. */
  seesNeighbours = true

  constructor(env: Environment, beyond: Beyond) {
    this.#env = env
    this.#beyond = beyond
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
    this.#beyond.touched(at)
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
    this.#beyond.touched(entry.session)
    return true
  }

  /** The session's page goes away: it is waited for less long. */
  leaving(id: SessionId): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.session = { ...entry.session, leaving: true }
    this.#beyond.touched(entry.session)
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
    this.#beyond.touched({ user, device })
  }

  /** Tells every client that the server stops, and when to come back: one after the other. */
  dismissAll(): void {
    this.ids().forEach((id, place) => {
      const retryAfterMs = Math.round((place / RETURNS_PER_SECOND) * 1_000)
      const data = { code: 'shutting-down', retryAfterMs } as const
      this.tellSession(id, { type: 'session.closed', data })
    })
  }

  /** Closes the socket and keeps the session. The socket's own end is heard as any other. */
  hangUp(id: SessionId): void {
    this.#entries.get(id)?.socket?.close()
  }

  find(id: SessionId): Session | undefined {
    return this.#entries.get(id)?.session
  }

  /** The devices of a user that have a socket now. */
  connectedDevices(user: UserId): readonly DeviceId[] {
    const devices = this.#byUser.get(user) ?? new Map<DeviceId, SessionId>()
    const here = [...devices]
      .filter(([, id]) => this.#entries.get(id)?.socket !== undefined)
      .map(([device]) => device)
    if (!this.seesNeighbours) return here
    return [...here, ...this.#beyond.neighbours.connectedDevices(user)]
  }

  /** What a device does about a second call; the same for all connections of its session. */
  callWaiting({ user, device }: DeviceAddress): CallWaiting {
    const id = this.#byUser.get(user)?.get(device)
    const entry = id === undefined ? undefined : this.#entries.get(id)
    return (entry ?? this.#beyond.neighbours.find({ user, device }))?.callWaiting ?? 'ring'
  }

  prefer(id: SessionId, callWaiting: CallWaiting): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.callWaiting = callWaiting
    this.#beyond.touched(entry.session)
  }

  /** What the user's devices tell of him, those included that have no socket now. */
  moodsOf(user: UserId): ReadonlyMap<DeviceId, DeviceMood> {
    const here = [...(this.#byUser.get(user) ?? [])].map(([device, id]) => {
      return [device, this.#entries.get(id)?.mood ?? 'online'] as const
    })
    return new Map([...this.#beyond.neighbours.moodsOf(user), ...here])
  }

  setMood(id: SessionId, mood: DeviceMood): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    entry.mood = mood
    this.#beyond.touched(entry.session)
  }

  /** A session's token gives these from now on. */
  grant(id: SessionId, grants: Grants): void {
    const entry = this.#entries.get(id)
    if (!entry || entry.grants === grants) return
    entry.grants = grants
    this.#beyond.touched(entry.session)
  }

  /** What a device may do, wherever it is. */
  grantsOf(at: DeviceAddress): Grants {
    const entry = this.#entryOf(at) ?? this.#beyond.neighbours.find(at)
    return entry?.grants ?? defaultGrants
  }

  /** Sessions of a user's devices, those included that have no socket now. */
  sessionsOf(user: UserId): readonly SessionId[] {
    return [...(this.#byUser.get(user)?.values() ?? [])]
  }

  /** The same, as an operator sees them. */
  sightsOf(user: UserId): readonly SessionSight[] {
    return [...(this.#byUser.get(user) ?? [])].map(([device, session]) => ({
      ...{ user, device, session },
      connected: this.#entries.get(session)?.socket !== undefined,
    }))
  }

  /** Users with at least one connected device. */
  connectedUsers(): readonly UserId[] {
    const users = new Set([...this.#byUser.keys(), ...this.#beyond.neighbours.users()])
    return [...users].filter((user) => this.connectedDevices(user).length > 0)
  }

  /** Sends an event to a device, wherever it is, now or when its socket is back. */
  tell(to: DeviceAddress, event: ServerEvent): void {
    if (!this.tellHere(to, event)) this.#beyond.tell(to, event)
  }

  /** Sends an event to the user's devices of other nodes. */
  tellElsewhere(user: UserId, event: ServerEvent): void {
    for (const device of this.#beyond.neighbours.devicesOf(user)) {
      this.#beyond.tell({ user, device }, event)
    }
  }

  /** Sends an event to a device of this node, if it is one. */
  tellHere(to: DeviceAddress, event: ServerEvent): boolean {
    const id = this.sessionOf(to)
    if (id !== undefined) this.tellSession(id, event)
    return id !== undefined
  }

  sessionOf({ user, device }: DeviceAddress): SessionId | undefined {
    return this.#byUser.get(user)?.get(device)
  }

  /** All devices that have a session here. */
  devices(): readonly DeviceAddress[] {
    return [...this.#entries.values()].map(({ session: { user, device } }) => ({ user, device }))
  }

  /** What other nodes should know of a device here, but for its calls. */
  stateOf(at: DeviceAddress): Omit<DeviceState, 'calls'> | undefined {
    const entry = this.#entryOf(at)
    if (!entry) return undefined
    const { session, socket, callWaiting, mood, since, grants } = entry
    const { id, leaving } = session
    const connected = socket !== undefined && !leaving
    const state = { connected, session: id, callWaiting, mood, since, ...(leaving && { leaving }) }
    return grants === defaultGrants ? state : { ...state, grants }
  }

  /**
   * What a device's session was about is gone with another node: its client is to connect again, and
   * to be told all anew.
   */
  makeAnew(at: DeviceAddress): void {
    const entry = this.#entryOf(at)
    if (!entry) return
    entry.session = { ...entry.session, lastSeq: entry.session.lastSeq + 1, recent: [] }
    entry.socket?.close()
  }

  /** Gives a session to another node, which its client has come to with the session's key. */
  handOver(
    at: DeviceAddress,
    id: SessionId,
    key: string,
  ): Omit<HandedSession, 'calls'> | undefined {
    const entry = this.#resumable(at, { session: id, key })
    if (!entry) return undefined
    this.#entries.delete(id)
    this.#forgetDevice(at)
    entry.socket?.close()
    return { session: entry.session, callWaiting: entry.callWaiting, mood: entry.mood }
  }

  /** Takes a session that another node has given, for its client to resume. */
  takeIn({ session, callWaiting, mood }: HandedSession): void {
    const { id, user, device } = session
    if (this.sessionOf({ user, device }) !== undefined) return
    const away = detach(session, this.#env.now())
    const since = this.#env.now()
    const entry = {
      session: away,
      since,
      socket: undefined,
      callWaiting,
      mood,
      grants: defaultGrants,
    }
    this.#entries.set(id, entry)
    const devices = this.#byUser.get(user) ?? new Map<DeviceId, SessionId>()
    this.#byUser.set(user, devices.set(device, id))
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

  #entryOf(at: DeviceAddress): Entry | undefined {
    const id = this.sessionOf(at)
    return id === undefined ? undefined : this.#entries.get(id)
  }

  #forgetDevice({ user, device }: DeviceAddress): void {
    const devices = this.#byUser.get(user)
    devices?.delete(device)
    if (devices?.size === 0) this.#byUser.delete(user)
  }

  #resumable(at: DeviceAddress, resume: Pick<ResumeRequest, 'session' | 'key'>): Entry | undefined {
    const entry = this.#entries.get(resume.session)
    const known =
      entry?.session.key === resume.key &&
      entry.session.user === at.user &&
      entry.session.device === at.device
    return known ? entry : undefined
  }

  #openNew(at: DeviceAddress, socket: ClientSocket): Opened {
    this.#beyond.neighbours.forget(at)
    const devices = this.#byUser.get(at.user) ?? new Map<DeviceId, SessionId>()
    const session = newSession({
      // Made here, so it has the shape that the brand stands for.
      id: this.#env.randomId(SESSION_ID_BYTES) as SessionId,
      key: this.#env.randomId(RESUME_KEY_BYTES).slice(0, limits.idLength),
      user: at.user,
      device: at.device,
    })
    const since = this.#env.now()
    const entry: Entry = {
      session,
      since,
      socket,
      callWaiting: 'ring',
      mood: 'online',
      grants: defaultGrants,
    }
    this.#entries.set(session.id, entry)
    this.#beyond.touched(at)
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
