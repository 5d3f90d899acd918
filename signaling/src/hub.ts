import type {
  AnswerFrame,
  Call,
  CallId,
  DeviceAddress,
  DeviceId,
  Millis,
  Result,
  SessionEnd,
  SessionId,
  UserId,
  Welcome,
} from '@parley/protocol'
import { fail, limits, requestFrameSchema, viewFor, viewOf } from '@parley/protocol'
import { Access } from './access.ts'
import type { AdminDoor } from './admin-door.ts'
import { Arrivals } from './arrivals.ts'
import type { Claims } from './auth/tokens.ts'
import { Calls } from './calls.ts'
import { Cluster } from './cluster/cluster.ts'
import type { Asker } from './cluster/routing.ts'
import { AnswerBook } from './core/answers.ts'
import type { RevocationTarget } from './core/revocations.ts'
import { Deadlines } from './core/deadlines.ts'
import { callsOfTickets } from './core/ticket.ts'
import { Neighbours } from './core/neighbours.ts'
import type { RegrantListener } from './core/neighbours.ts'
import { Deliveries } from './deliveries.ts'
import { Directory } from './directory.ts'
import { adminDoor } from './hub-admin.ts'
import type { Opened, ResumeRequest } from './directory.ts'
import { badField } from './bad-field.ts'
import { confine } from './confine.ts'
import { tellElsewhere } from './elsewhere.ts'
import type { Entrant, HubOptions, HubStats } from './hub-options.ts'
import { mediaListener } from './media-events.ts'
import type { ClientSocket } from './ports.ts'
import { People, plainPeople } from './people.ts'
import type { RequestContext } from './requests/context.ts'
import { dispatch, parseRequest, typeNameOf } from './requests/dispatch.ts'
import { Seats } from './seats.ts'
import { Traffic } from './traffic.ts'

/** Bytes of randomness in the name by which tickets know this process. */
const ISSUER_BYTES = 9

/** The sole holder of signaling state: sockets' events in, decisions by the cores, orders out. */
export class Hub {
  /** What operators see and do. */
  readonly admin: AdminDoor
  readonly #options: HubOptions
  readonly #directory: Directory
  readonly #access: Access
  readonly #calls: Calls
  readonly #seats: Seats
  readonly #arrivals: Arrivals
  readonly #people: People
  readonly #cluster: Cluster
  readonly #traffic = new Traffic()
  readonly #answers = new AnswerBook()
  readonly #deliveries = new Deliveries()
  readonly #sessionEnds = new Deadlines<SessionId>()

  constructor(options: HubOptions) {
    const { env, log, media, seal, ringTimeoutMs } = options
    this.#options = options
    const regrant: RegrantListener = (at, grants) =>
      confine({ calls: this.#calls, media, directory, people: this.#people }, at, grants)
    const neighbours = new Neighbours(regrant)
    this.#directory = new Directory(env, {
      neighbours,
      tell: (to, event) => this.#cluster.tell(to, event),
      touched: (at) => this.#cluster.deviceTouched(at),
    })
    const directory = this.#directory
    this.#access = new Access(
      {
        now: () => env.now(),
        tell: (id, event) => directory.tellSession(id, event),
        holder: (id) => directory.find(id),
        close: (id, code, wait) => this.#closeSession(id, code, wait ? {} : undefined),
        granted: (id, grants) => directory.grant(id, grants),
        grantsChanged: regrant,
      },
      options.verifier,
      options.revocations,
    )
    this.#people = new People(options.people ?? plainPeople(), {
      ...{ env, log, directory },
      isInCall: (user) => this.#isInCall(user),
      wakeFailed: ({ call, user }) => {
        this.#calls.apply(call, { type: 'wakeFailed', user })
        this.#scheduleWake()
      },
    })
    this.#calls = new Calls({
      env,
      log,
      ports: {
        tell: (to, event) => directory.tell(to, event),
        openMedia: (call, epoch) => media.open(call, epoch),
        closeMedia: (call, epoch) => media.close(call, epoch),
        closePeer: (call, epoch, peer) => media.closePeer(call, epoch, peer),
        pauseProducer: (call, epoch, stream) => media.pauseProducer(call, epoch, stream),
        occupancyChanged: (user) => this.#people.presence.refresh(user),
        happened: (fact) => {
          this.#people.note(fact)
          options.onFact?.(fact)
        },
        tellElsewhere: (user, call) => tellElsewhere(directory, user, call),
        changed: (before, after) => {
          this.#cluster.callChanged(before, after)
          this.#seats.changed(before, after)
        },
        left: (call, gone) => this.#deliveries.left(call, gone),
      },
    })
    this.#seats = new Seats({
      env,
      log,
      seal,
      issuer: env.randomId(ISSUER_BYTES),
      calls: this.#calls,
      media,
      tell: (to, event) => directory.tell(to, event),
    })
    media.onEvent(
      mediaListener({
        calls: this.#calls,
        tell: (to, event) => directory.tell(to, event),
        changed: () => this.#scheduleWake(),
      }),
    )
    const now = () => env.now()
    const calls = this.#calls
    this.#arrivals = new Arrivals({
      ...{ calls, seats: this.#seats, now, ringTimeoutMs },
      refresh: (user) => this.#people.presence.refresh(user),
    })
    this.admin = adminDoor({
      ...{ calls, directory, people: this.#people },
      endSession: (id) => {
        const session = directory.find(id)
        if (session) this.#endSession(id, session)
      },
      changed: () => this.#scheduleWake(),
    })
    this.#cluster = new Cluster(options.cluster, {
      ...{ now, log, directory, neighbours, calls },
      answer: (asker, type, data) => this.#answer(asker, type, data),
      deviceChanged: (at, change) => {
        this.#arrivals.heard(at, change)
        this.#scheduleWake()
      },
      deliver: (to, event) => this.#people.heard(to, event) || directory.tellHere(to, event),
      replaced: (at) => this.#onReplaced(at),
      dropCall: (call) => this.#dropCall(call),
      callOfTicket: callsOfTickets(seal, now),
    })
    media.fenceBy((call) => this.#cluster.fenceOf(call))
    this.#cluster.start()
  }

  /** Verifies a token; never rejects. */
  admit(token: string): Promise<Result<Claims>> {
    return this.#access.admit(token)
  }

  /** Withdraws a token or all of a user's; returns how many sessions ended with it. */
  revoke(target: RevocationTarget): number {
    return this.#access.revoke(target)
  }

  /** A verified device is about to connect; its session may be on another node. */
  async expect(at: DeviceAddress, resume: ResumeRequest | undefined): Promise<void> {
    await this.#cluster.fetchSession(at, resume)
    const id = this.#directory.sessionOf(at)
    const awayUntil = id && this.#directory.find(id)?.awayUntil
    if (id !== undefined && awayUntil !== undefined) this.#sessionEnds.set(id, awayUntil)
    this.#scheduleWake()
  }

  /** A verified device has connected. The welcome is the first thing that it hears. */
  connect(entrant: Entrant, socket: ClientSocket, resume: ResumeRequest | undefined): SessionId {
    const at = { user: entrant.user, device: entrant.device }
    const obstacle = this.#directory.obstacle(at, resume)
    // The newest connection of a device wins; its older one is told why it has to go.
    if (obstacle !== undefined) this.#closeSession(obstacle, 'session-replaced')
    const opened = this.#directory.open(at, socket, resume)
    const { session } = opened
    this.#sessionEnds.set(session, undefined)
    this.#access.open(session, entrant.pass)
    socket.send({ seq: 0, type: 'welcome', data: this.#welcome(at, opened) })
    opened.replay()
    if (opened.resumed !== 'replayed') {
      for (const call of this.#calls.elsewhere(at)) {
        this.#directory.tell(at, { type: 'call.elsewhere', data: { call: viewOf(call) } })
      }
    }
    this.#arrivals.came(at)
    if (opened.resumed !== 'replayed') this.#people.arrived(session, at)
    this.#options.log.info({ session: session.slice(0, 6), resumed: opened.resumed }, 'connected')
    this.#scheduleWake()
    return session
  }

  /** A socket is gone. A client that said goodbye is not waited for. */
  disconnected(id: SessionId, socket: ClientSocket, saidGoodbye: boolean): void {
    const session = this.#directory.find(id)
    if (!session || !this.#directory.detach(id, socket)) return
    this.#options.log.info({ session: id.slice(0, 6), saidGoodbye }, 'disconnected')
    if (saidGoodbye) {
      this.#endSession(id, session)
    } else {
      this.#arrivals.away(session)
      this.#sessionEnds.set(id, this.#directory.find(id)?.awayUntil)
    }
    this.#scheduleWake()
  }

  /** Answers one request. `bytes` is its size on the wire. Never rejects. */
  async request(id: SessionId, raw: unknown, bytes: number): Promise<AnswerFrame> {
    const startedMs = this.#options.env.now()
    const answer = await this.#admit(id, raw, bytes)
    const seconds = (this.#options.env.now() - startedMs) / 1_000
    this.#options.onRequest(typeNameOf(raw), answer.ok ? 'ok' : answer.error.code, seconds)
    this.#scheduleWake()
    return answer
  }

  /** Lets everything that is due happen; called by the timer that `wakeAt` asked for. */
  tick(): void {
    const now = this.#options.env.now()
    for (const id of this.#sessionEnds.takeDue(now)) {
      const session = this.#directory.find(id)
      if (session) this.#endSession(id, session)
    }
    this.#access.tick(now)
    this.#calls.tick(now)
    this.#seats.tick(now)
    this.#people.tick(now)
    this.#scheduleWake()
  }

  stats(): HubStats {
    return {
      sessions: this.#directory.size,
      calls: this.#calls.size,
      peers: this.#cluster.peerCount,
    }
  }

  /** Tells every client that the server goes away, and when to come back: one after the other. */
  async stop(): Promise<void> {
    this.#directory.dismissAll()
    this.#people.stop()
    this.#options.env.wakeAt(undefined)
    await this.#cluster.stop()
  }

  async #admit(id: SessionId, raw: unknown, bytes: number): Promise<AnswerFrame> {
    const session = this.#directory.find(id)
    if (!session) return fail('session-gone')
    if (bytes > limits.messageBytes) return fail('too-large', { limit: limits.messageBytes })
    const now = this.#options.env.now()
    const verdict = this.#traffic.admit(id, session.user, { bytes, now })
    if (verdict.type !== 'admitted') {
      const { retryAfterMs } = verdict
      if (verdict.type === 'expelled') this.#closeSession(id, 'rate-limited', { retryAfterMs })
      return fail('rate-limited', { limit: limits.requestsPerSecond, retryAfterMs })
    }
    const frame = requestFrameSchema.safeParse(raw)
    if (!frame.success) return badField(frame.error)
    const { id: requestId, type, data } = frame.data
    return this.#answers
      .of(id)
      .once(requestId, now, () => this.#handle(id, session, { type, data }))
  }

  async #handle(
    session: SessionId,
    at: DeviceAddress,
    { type, data }: { readonly type: string; readonly data: unknown },
  ): Promise<AnswerFrame> {
    const parsed = parseRequest(type, data)
    if (!parsed.ok) return parsed
    const refused =
      this.#access.refusal(session, parsed.data.type, parsed.data.data) ??
      this.#traffic.refusal(session, type, this.#options.env.now())
    if (refused) return refused
    const asker = { session, at, grants: this.#access.grants(session) }
    return this.#cluster.handle(asker, type, parsed.data.data)
  }

  /** Answers a request with the calls of this node. It comes from a client here or elsewhere. */
  async #answer(asker: Asker, type: string, data: unknown): Promise<AnswerFrame> {
    const parsed = parseRequest(type, data)
    if (!parsed.ok) return parsed
    const answer = await dispatch(this.#contextOf(asker), parsed.data, this.#options.log)
    this.#scheduleWake()
    return answer
  }

  #contextOf({ session, at, grants }: Asker): RequestContext {
    const { env, log, media, ringTimeoutMs, iceConfigFor } = this.#options
    return {
      at: { user: at.user, device: at.device },
      ...{ session, env, log, media, ringTimeoutMs },
      calls: this.#calls,
      seats: this.#seats,
      directory: this.#directory,
      deliveries: this.#deliveries,
      callsOf: (device) => this.#callsOf(device),
      iceConfig: () => iceConfigFor(at.user),
      people: this.#people,
      announceLeaving: () => {
        this.#directory.leaving(session)
        this.#arrivals.away(at, true)
      },
      grants,
      refresh: (token) => this.#access.refresh(session, token),
    }
  }

  /** Tells a client why it has to go, and where it may come back to its session, when. */
  #closeSession(id: SessionId, code: SessionEnd, back?: { readonly retryAfterMs?: Millis }): void {
    const session = this.#directory.find(id)
    if (!session) return
    this.#directory.tellSession(id, { type: 'session.closed', data: { code, ...back } })
    if (back) this.#directory.hangUp(id)
    else this.#endSession(id, session)
  }

  #endSession(id: SessionId, at: DeviceAddress): void {
    // A page that went away on purpose has hung up, if it does not come back.
    const reason = this.#directory.find(id)?.leaving ? 'hangup' : 'failed'
    this.#forgetSession(id, at)
    this.#cluster.deviceLeft(at)
    this.#arrivals.gone(at, reason)
  }

  #forgetSession(id: SessionId, at: DeviceAddress): void {
    this.#access.close(id)
    this.#traffic.close(id)
    this.#answers.forget(id)
    this.#sessionEnds.set(id, undefined)
    this.#directory.close(id)
    this.#people.left(id, at)
  }

  #welcome(at: DeviceAddress, { session, resumeKey, resumed }: Opened): Welcome {
    const foreign = this.#cluster.foreignOf(at).map(({ view }) => view)
    const seen = [...this.#calls.seenBy(at).map((call) => viewFor(call, at)), ...foreign]
    const calls = resumed === 'snapshot' ? seen : []
    const ice = this.#options.iceConfigFor(at.user)
    const grants = this.#access.grants(session)
    return { session, resumeKey, resumed, calls, ice, user: at.user, device: at.device, grants }
  }

  #isInCall(user: UserId): boolean {
    const inCall = (device: DeviceId) => this.#callsOf({ user, device }).size > 0
    return this.#directory.connectedDevices(user).some(inCall)
  }

  #callsOf(at: DeviceAddress): ReadonlySet<CallId> {
    const here = this.#calls.ofDevice(at).map(({ id }) => id)
    return new Set([...here, ...this.#cluster.callsElsewhere(at)])
  }

  /** The device's newest session is on another node. */
  #onReplaced(at: DeviceAddress): void {
    const id = this.#directory.sessionOf(at)
    if (id === undefined) return
    this.#directory.tellSession(id, { type: 'session.closed', data: { code: 'session-replaced' } })
    this.#forgetSession(id, at)
  }

  #dropCall(call: Call): void {
    this.#options.log.warn({ call: call.id }, 'call goes on at another node')
    this.#calls.drop(call.id)
    this.#deliveries.drop(call.id)
    this.#options.media.leaveTo(call.id)
    for (const at of call.participants) this.#directory.makeAnew(at)
  }

  #scheduleWake(): void {
    const dues = [
      this.#sessionEnds.next(),
      this.#access.nextDeadline(),
      this.#calls.nextDeadline(),
      this.#seats.nextDeadline(),
      this.#people.nextDeadline(),
    ]
    const known = dues.filter((at) => at !== undefined)
    this.#options.env.wakeAt(known.length > 0 ? Math.min(...known) : undefined)
  }
}
