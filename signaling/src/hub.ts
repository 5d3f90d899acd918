import type {
  AnswerFrame,
  Call,
  ClientRequestType,
  DeviceAddress,
  DeviceId,
  IceConfig,
  ParticipantId,
  ServerEvent,
  SessionId,
  UserId,
  Welcome,
} from '@parley/protocol'
import {
  clientRequests,
  fail,
  limits,
  participantAt,
  participantById,
  requestFrameSchema,
  ringsAt,
  viewOf,
} from '@parley/protocol'
import type { Log } from '@parley/service'
import { Calls } from './calls.ts'
import { fullBucket, take } from './core/admission.ts'
import type { Bucket } from './core/admission.ts'
import { Answers } from './core/answers.ts'
import { Deadlines } from './core/deadlines.ts'
import type { TicketSeal } from './core/ticket.ts'
import { Directory } from './directory.ts'
import type { Opened, ResumeRequest } from './directory.ts'
import { badField } from './bad-field.ts'
import type { Media, MediaListener } from './media.ts'
import type { ClientSocket, Environment } from './ports.ts'
import { PresenceFeed } from './presence.ts'
import { callRequests } from './requests/call-requests.ts'
import { handOverRequests } from './requests/hand-over-requests.ts'
import type { Handlers, RequestContext } from './requests/context.ts'
import { resumeRequests } from './requests/resume-requests.ts'
import { mediaRequests } from './requests/media-requests.ts'
import { sessionRequests } from './requests/session-requests.ts'
import { Seats } from './seats.ts'

const REQUEST_LIMIT = { burst: limits.requestBurst, perSecond: limits.requestsPerSecond }

/** Bytes of randomness in the name by which tickets know this process. */
const ISSUER_BYTES = 9

const handlers: Handlers<ClientRequestType> = {
  ...sessionRequests,
  ...callRequests,
  ...handOverRequests,
  ...mediaRequests,
  ...resumeRequests,
}

/** Numbers for the metrics endpoint. */
export interface HubStats {
  readonly sessions: number
  readonly calls: number
}

/** Called for each answered request. */
export type RequestObserver = (type: string, outcome: string, seconds: number) => void

/** What a hub is made with. */
export interface HubOptions {
  readonly env: Environment
  readonly log: Log
  readonly media: Media
  readonly seal: TicketSeal
  readonly ringTimeoutMs: number
  readonly iceConfigFor: (user: UserId) => IceConfig
  readonly onRequest: RequestObserver
}

/** Per session: what bounds and repeats its requests. */
interface Ledger {
  bucket: Bucket
  readonly answers: Answers
}

/** The sole holder of signaling state: sockets' events in, decisions by the cores, orders out. */
export class Hub {
  readonly #options: HubOptions
  readonly #directory: Directory
  readonly #calls: Calls
  readonly #seats: Seats
  readonly #presence: PresenceFeed
  readonly #ledgers = new Map<SessionId, Ledger>()
  readonly #sessionEnds = new Deadlines<SessionId>()

  constructor(options: HubOptions) {
    const { env, log, media, seal } = options
    this.#options = options
    this.#directory = new Directory(env)
    const directory = this.#directory
    this.#presence = new PresenceFeed({
      connectedUsers: () => directory.connectedUsers(),
      isConnected: (user) => directory.connectedDevices(user).length > 0,
      isInCall: (user) => this.#isInCall(user),
      tellSession: (id, event) => directory.tellSession(id, event),
    })
    this.#calls = new Calls({
      env,
      log,
      ports: {
        tell: (to, event) => directory.tell(to, event),
        openMedia: (call, epoch) => media.open(call, epoch),
        closeMedia: (call, epoch) => media.close(call, epoch),
        closePeer: (call, epoch, peer) => media.closePeer(call, epoch, peer),
        occupancyChanged: (user) => this.#presence.refresh(user),
        tellElsewhere: (user, call) => this.#tellElsewhere(user, call),
        changed: (before, after) => this.#seats.changed(before, after),
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
    media.onEvent(this.#onMediaEvent)
  }

  /** A verified device has connected. The welcome is the first thing that it hears. */
  connect(at: DeviceAddress, socket: ClientSocket, resume: ResumeRequest | undefined): SessionId {
    const obstacle = this.#directory.obstacle(at, resume)
    if (obstacle !== undefined) this.#replaceSession(obstacle, at)
    const opened = this.#directory.open(at, socket, resume)
    const { session } = opened
    this.#sessionEnds.set(session, undefined)
    socket.send({ seq: 0, type: 'welcome', data: this.#welcome(at, opened) })
    opened.replay()
    if (opened.resumed !== 'replayed') {
      for (const call of this.#calls.elsewhere(at)) {
        this.#directory.tell(at, { type: 'call.elsewhere', data: { call: viewOf(call) } })
      }
    }
    this.#markConnected(at, true)
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
      this.#markConnected(session, false)
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
    this.#calls.tick(now)
    this.#seats.tick(now)
    this.#scheduleWake()
  }

  stats(): HubStats {
    return { sessions: this.#directory.size, calls: this.#calls.size }
  }

  /** Tells every client that the server goes away, and lets them reconnect elsewhere. */
  stop(): void {
    for (const id of this.#directory.ids()) {
      this.#directory.tellSession(id, { type: 'session.closed', data: { code: 'shutting-down' } })
    }
    this.#options.env.wakeAt(undefined)
  }

  async #admit(id: SessionId, raw: unknown, bytes: number): Promise<AnswerFrame> {
    const session = this.#directory.find(id)
    if (!session) return fail('session-gone')
    if (bytes > limits.messageBytes) return fail('too-large', { limit: limits.messageBytes })
    const ledger = this.#ledgerOf(id)
    const { admitted, bucket } = take(ledger.bucket, REQUEST_LIMIT, this.#options.env.now())
    ledger.bucket = bucket
    if (!admitted) return fail('rate-limited', { limit: limits.requestsPerSecond })
    const frame = requestFrameSchema.safeParse(raw)
    if (!frame.success) return badField(frame.error)
    const { id: requestId, type, data } = frame.data
    return ledger.answers.once(requestId, this.#options.env.now(), () =>
      this.#handle(id, session, { type, data }),
    )
  }

  async #handle(
    session: SessionId,
    at: DeviceAddress,
    { type, data }: { readonly type: string; readonly data: unknown },
  ): Promise<AnswerFrame> {
    if (!isRequestType(type)) {
      return fail('unknown-request', { message: 'No such request type.', field: 'type' })
    }
    const parsed = clientRequests[type].data.safeParse(data)
    if (!parsed.success) return badField(parsed.error, 'data')
    try {
      // The schema and the handler of one type belong together; TypeScript cannot pair them by a
      // key that it knows only as a union.
      const handler = handlers[type] as (
        context: RequestContext,
        input: unknown,
      ) => AnswerFrame | Promise<AnswerFrame>
      return await handler(this.#contextOf(session, at), parsed.data)
    } catch (error) {
      this.#options.log.error({ err: error, request: type }, 'request failed')
      return fail('internal')
    }
  }

  #contextOf(session: SessionId, at: DeviceAddress): RequestContext {
    const { env, media, ringTimeoutMs, iceConfigFor } = this.#options
    return {
      at: { user: at.user, device: at.device },
      session,
      env,
      calls: this.#calls,
      media,
      seats: this.#seats,
      directory: this.#directory,
      ringTimeoutMs,
      iceConfig: () => iceConfigFor(at.user),
      subscribePresence: () => this.#presence.subscribe(session),
    }
  }

  /** The newest connection of a device wins; its older one is told why it has to go. */
  #replaceSession(id: SessionId, at: DeviceAddress): void {
    this.#directory.tellSession(id, { type: 'session.closed', data: { code: 'session-replaced' } })
    this.#endSession(id, at)
  }

  #endSession(id: SessionId, at: DeviceAddress): void {
    this.#presence.unsubscribe(id)
    this.#ledgers.delete(id)
    this.#sessionEnds.set(id, undefined)
    this.#directory.close(id)
    for (const call of this.#calls.seenBy(at)) {
      const seat = participantAt(call, at)
      if (seat) {
        this.#seats.lost(call.id, seat.id)
        this.#calls.apply(call.id, { type: 'left', participant: seat.id, reason: 'failed' })
      } else this.#calls.apply(call.id, { type: 'deviceGone', at })
    }
    this.#presence.refresh(at.user)
  }

  #markConnected(at: DeviceAddress, connected: boolean): void {
    for (const call of this.#calls.ofDevice(at)) {
      const seat = participantAt(call, at)
      if (!seat || seat.connected === connected) continue
      const participant = seat.id
      this.#calls.apply(call.id, { type: 'connectionChanged', participant, connected })
    }
    this.#presence.refresh(at.user)
  }

  /** Devices in the call or rung by it see it anyway. */
  #tellElsewhere(user: UserId, call: Call): void {
    for (const device of this.#directory.connectedDevices(user)) {
      const at = { user, device }
      if (participantAt(call, at) || ringsAt(call, at)) continue
      this.#directory.tell(at, { type: 'call.elsewhere', data: { call: viewOf(call) } })
    }
  }

  #welcome(at: DeviceAddress, { session, resumeKey, resumed }: Opened): Welcome {
    const calls = resumed === 'snapshot' ? this.#calls.seenBy(at).map(viewOf) : []
    const ice = this.#options.iceConfigFor(at.user)
    return { session, resumeKey, resumed, calls, ice, user: at.user, device: at.device }
  }

  #isInCall(user: UserId): boolean {
    const inCall = (device: DeviceId) => this.#calls.ofDevice({ user, device }).length > 0
    return this.#directory.connectedDevices(user).some(inCall)
  }

  #ledgerOf(id: SessionId): Ledger {
    const known = this.#ledgers.get(id)
    if (known) return known
    const bucket = fullBucket(REQUEST_LIMIT, this.#options.env.now())
    const ledger = { bucket, answers: new Answers() }
    this.#ledgers.set(id, ledger)
    return ledger
  }

  readonly #onMediaEvent: MediaListener = (event) => {
    const { call: id, epoch } = event.data
    const call = this.#calls.find(id)
    if (!call) return
    if (event.type === 'room.lost') {
      this.#calls.apply(id, { type: 'mediaLost', epoch })
      this.#scheduleWake()
    } else if (event.type === 'speaker') {
      const data = { call: id, participant: event.data.peer }
      for (const to of call.participants) this.#directory.tell(to, { type: 'sfu.speaker', data })
    } else if (event.type === 'demand') {
      const { peer, producer, maxSpatialLayer, reason } = event.data
      const data = { call: id, producer, maxSpatialLayer, reason }
      this.#tellPeer(call, peer, { type: 'sfu.demand', data })
    } else {
      const { peer, consumer, spatialLayer, reason } = event.data
      const data = { call: id, consumer, spatialLayer, reason }
      this.#tellPeer(call, peer, { type: 'sfu.layer', data })
    }
  }

  #tellPeer(call: Call, peer: ParticipantId, event: ServerEvent): void {
    const to = participantById(call, peer)
    if (to) this.#directory.tell(to, event)
  }

  #scheduleWake(): void {
    const dues = [this.#sessionEnds.next(), this.#calls.nextDeadline(), this.#seats.nextDeadline()]
    const known = dues.filter((at) => at !== undefined)
    this.#options.env.wakeAt(known.length > 0 ? Math.min(...known) : undefined)
  }
}

function isRequestType(type: string): type is ClientRequestType {
  return Object.hasOwn(clientRequests, type)
}

/** Request types for metrics: an unknown one must not become a label of its own. */
function typeNameOf(raw: unknown): string {
  const type = typeof raw === 'object' && raw !== null && 'type' in raw ? raw.type : undefined
  return typeof type === 'string' && isRequestType(type) ? type : 'unknown'
}
