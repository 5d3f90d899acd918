import { PROTOCOL_VERSION } from '@parley/protocol'
import type {
  ClientRequestData,
  ClientRequestResult,
  ClientRequestType,
  Grants,
  RequestFrame,
  ServerEvent,
  Welcome,
} from '@parley/protocol'
import {
  connectionDeadline,
  connectionMachine,
  connectionState,
  idleConnection,
} from './core/connection.ts'
import type {
  Connection,
  ConnectionEffect,
  ConnectionEvent,
  ConnectionFailure,
  ConnectionState,
  Resume,
} from './core/connection.ts'
import { readAnswer, readEvent, readRefusal } from './core/wire-check.ts'
import { CONNECT_BUDGET_MS, RECONNECT_BUDGET_MS, REQUEST_TIMEOUT_MS } from './defaults.ts'
import { Emitter } from './emitter.ts'
import { abortable, CallError, fromWire } from './errors.ts'
import type { Clock, Link, LinkConnection, Randomness } from './ports.ts'

/** Sends one request and waits for its answer, over reconnects if need be. */
export type Request = <T extends ClientRequestType>(
  type: T,
  data: ClientRequestData<T>,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<ClientRequestResult<T>>

/** What signaling needs of its surroundings and of the app. */
export interface SignalingPorts {
  readonly clock: Clock
  readonly random: Randomness
  readonly link: Link
  readonly url: string
  readonly device: string | undefined
  readonly token: () => string | Promise<string>
  /** What the page kept over its reload: asked for once, before the first connection. */
  readonly recall: () => Promise<{ readonly device: string; readonly resume: Resume } | undefined>
}

interface SignalingEvents {
  state: [state: ConnectionState]
  welcome: [welcome: Welcome]
  /** What the token lets this device do, after a connection or a refresh. */
  grants: [grants: Grants]
  event: [event: ServerEvent]
  failed: [error: CallError]
}

interface Waiting {
  readonly frame: RequestFrame
  readonly type: ClientRequestType
  readonly resolve: (data: unknown) => void
  readonly reject: (error: CallError) => void
}

/** Requests that any session may begin with; doing them twice is as good as once. */
const opening: ReadonlySet<ClientRequestType> = new Set<ClientRequestType>([
  'call.accept',
  'call.resume',
  'call.start',
  'ice.get',
  'presence.subscribe',
  'room.join',
])

const machine = connectionMachine({
  connectMs: CONNECT_BUDGET_MS,
  reconnectMs: RECONNECT_BUDGET_MS,
})

/** The connection to the server: requests with ids, events in order, resumed when it breaks. */
export class Signaling extends Emitter<SignalingEvents> {
  readonly #ports: SignalingPorts
  readonly #waiting = new Map<string, Waiting>()
  #state: Connection = idleConnection
  #connection: LinkConnection | undefined
  #cancelTick: () => void = () => undefined
  /** Tells answers of a connection attempt from those of an earlier one. */
  #attempt = 0
  /** Made up at the first connection where the app names none; kept from then on. */
  #device: string | undefined

  constructor(ports: SignalingPorts) {
    super()
    this.#ports = ports
  }

  get state(): ConnectionState {
    return connectionState(this.#state)
  }

  /** Why the connection is closed for good, if it is. */
  get failure(): ConnectionFailure | undefined {
    return this.#state.phase === 'closed' ? this.#state.failure : undefined
  }

  connect(): void {
    this.#dispatch({ type: 'connectAsked' })
  }

  /** Tries at once instead of at the next planned time. */
  networkBack(): void {
    this.#dispatch({ type: 'networkBack' })
  }

  /** Connects anew at once, even where a connection seems to stand. */
  reopen(): void {
    this.#dispatch({ type: 'reopenAsked' })
  }

  /** Asks the app for a fresh token and goes on with it; the connection stays. */
  async refresh(): Promise<void> {
    const token = await this.#token()
    if (token === undefined) throw new CallError('token-failed')
    const { grants } = await this.request('session.refresh', { token })
    this.emit('grants', grants)
  }

  close(): void {
    this.#dispatch({ type: 'closeAsked' })
    this.#rejectAll(new CallError('not-connected'))
  }

  readonly request: Request = (type, data, { signal } = {}) => {
    const { phase } = this.#state
    if (phase === 'idle' || phase === 'closed') {
      return Promise.reject(new CallError('not-connected'))
    }
    const id = this.#ports.random.id()
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const waiting: Waiting = {
      frame: { id, type, data },
      type,
      resolve,
      reject,
    }
    this.#waiting.set(id, waiting)
    const cancel = this.#ports.clock.after(REQUEST_TIMEOUT_MS, () =>
      reject(new CallError(phase === 'online' ? 'timeout' : 'not-connected')),
    )
    if (phase === 'online') this.#send(waiting)
    // `readAnswer` has checked the data against the type of the request.
    return abortable(promise as Promise<ClientRequestResult<typeof type>>, signal).finally(() => {
      cancel()
      this.#waiting.delete(id)
    })
  }

  #dispatch(event: ConnectionEvent): void {
    const before = this.state
    const { state, effects } = machine(this.#state, event, this.#ports.clock.now())
    this.#state = state
    for (const effect of effects) this.#run(effect)
    this.#schedule()
    if (this.state !== before) this.emit('state', this.state)
  }

  #run(effect: ConnectionEffect): void {
    switch (effect.type) {
      case 'open':
        void this.#open(effect.resume)
        return
      case 'close':
        this.#attempt++
        this.#connection?.close()
        this.#connection = undefined
        return
      case 'abandon':
        this.#attempt++
        this.#connection?.abandon()
        this.#connection = undefined
        return
      case 'flush':
        for (const waiting of this.#waiting.values()) this.#send(waiting)
        return
      case 'fail': {
        const error = new CallError(effect.failure)
        this.#rejectAll(error)
        this.emit('failed', error)
      }
    }
  }

  async #open(resume: Resume | undefined): Promise<void> {
    const attempt = ++this.#attempt
    const [token, recalled] = await Promise.all([this.#token(), this.#recall()])
    if (attempt !== this.#attempt) return
    if (token === undefined) {
      this.#refused('token-failed', true)
      return
    }
    const { link, url, random } = this.#ports
    const device = (this.#device ??= this.#ports.device ?? recalled?.device ?? random.id())
    const known = resume ?? (recalled?.device === device ? recalled.resume : undefined)
    const auth = { protocol: PROTOCOL_VERSION, token, device, ...(known && { resume: known }) }
    const current = (run: () => void) => () => {
      if (attempt === this.#attempt) run()
    }
    this.#connection = link.open(url, auth, {
      event: (frame) => current(() => this.#onFrame(frame))(),
      refused: (error) => current(() => this.#onRefusal(error))(),
      lost: current(() => this.#dispatch({ type: 'lost', random: this.#ports.random.fraction() })),
    })
  }

  /** The first attempt alone goes by what was kept; later ones know better. */
  async #recall() {
    if (this.#device !== undefined) return undefined
    return this.#ports.recall().catch(() => undefined)
  }

  async #token(): Promise<string | undefined> {
    try {
      return await this.#ports.token()
    } catch {
      return undefined
    }
  }

  #onRefusal(data: unknown): void {
    const refusal = readRefusal(data)
    if (!refusal) {
      this.#refused(undefined, true)
      return
    }
    const { code, retryable } = fromWire({
      message: refusal.message,
      // An unknown code is turned into `internal` there.
      code: refusal.code as 'internal',
      retryable: true,
    })
    this.#refused(code as ConnectionFailure, retryable, refusal.retryAfterMs)
  }

  #refused(code: ConnectionFailure | undefined, retryable: boolean, afterMs?: number): void {
    this.#dispatch({
      type: 'refused',
      code,
      retryable,
      afterMs,
      random: this.#ports.random.fraction(),
    })
  }

  #onFrame(frame: unknown): void {
    const read = readEvent(frame)
    if (!read) return
    const { seq, event } = read
    if (event.type === 'welcome') {
      this.#onWelcome(event.data)
      return
    }
    // A replay may repeat what was handled just before the connection broke; 0 stands outside the order.
    if (this.#state.phase !== 'online') return
    if (seq !== 0 && seq <= this.#state.resume.lastSeq) return
    this.#dispatch({ type: 'eventSeen', seq })
    if (event.type === 'session.closed') {
      const { code, retryAfterMs: afterMs } = event.data
      this.#dispatch({ type: 'closing', code, afterMs })
    }
    if (event.type === 'session.expiring') {
      // Where this fails the server closes the connection, and the next one asks for a token anyway.
      this.refresh().catch(() => undefined)
      return
    }
    this.emit('event', event)
  }

  #onWelcome(welcome: Welcome): void {
    if (welcome.resumed === 'new') {
      // Requests of a session that is over: nobody knows whether they were done, and what is about a
      // seat has to wait until that is taken again.
      for (const [id, { type, reject }] of this.#waiting) {
        if (opening.has(type)) continue
        this.#waiting.delete(id)
        reject(new CallError('session-gone'))
      }
    }
    this.emit('grants', welcome.grants)
    this.emit('welcome', welcome)
    this.#dispatch({ type: 'welcomed', session: welcome.session, key: welcome.resumeKey })
  }

  #send(waiting: Waiting): void {
    const { type, frame, resolve, reject } = waiting
    this.#connection?.send(frame, (raw) => {
      const answer = readAnswer(type, raw)
      if (!answer) reject(new CallError('bad-answer'))
      else if (answer.ok) resolve(answer.data)
      else reject(fromWire(answer.error))
    })
  }

  #rejectAll(error: CallError): void {
    for (const { reject } of this.#waiting.values()) reject(error)
  }

  #schedule(): void {
    this.#cancelTick()
    const { clock } = this.#ports
    const deadline = connectionDeadline(this.#state)
    if (deadline === undefined) return
    this.#cancelTick = clock.after(Math.max(0, deadline - clock.now()), () =>
      this.#dispatch({ type: 'tick', random: this.#ports.random.fraction() }),
    )
  }
}
