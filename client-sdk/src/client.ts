import type { CallId, Grants, Presence, UserId, Welcome, SessionId } from '@parley/protocol'
import { browserEnvironment } from './browser/environment.ts'
import { CallBook } from './call-book.ts'
import type { Call, MediaOptions, OperationOptions } from './call.ts'
import type { ConnectionState } from './core/connection.ts'
import { readPageRecord, writePageRecord } from './core/page-record.ts'
import type { KeptCall } from './core/page-record.ts'
import type { VideoCodec } from './core/video-codec.ts'
import { trustOnFirstUse } from './e2ee/identity/identity.ts'
import type { TrustPolicy } from './e2ee/identity/identity.ts'
import { Emitter } from './emitter.ts'
import { EncryptionMaker } from './encryption-maker.ts'
import { abortable, CallError, throwIfAborted } from './errors.ts'
import { IceServers } from './ice-servers.ts'
import type { OtherCall } from './other-calls.ts'
import { pathMaker } from './path-maker.ts'
import type { Environment } from './ports.ts'
import { Signaling } from './signaling.ts'
import type { SignalingPorts } from './signaling.ts'
import { socketIoLink } from './socketio/link.ts'

/** How a client is set up. */
export interface CallClientOptions {
  /** Where signaling is, as `https://calls.example.org`. */
  readonly url: string
  /** Gives a fresh token of one's user; asked before each connection. */
  readonly token: () => string | Promise<string>
  /** Stable id of this browser, so that a reload is known as the same device; random if left out. */
  readonly device?: string
  /** `relay` hides one's address from the other side: everything goes through TURN. */
  readonly iceTransportPolicy?: RTCIceTransportPolicy
  /** `sfu` never sends media directly between devices. */
  readonly topology?: 'auto' | 'sfu'
  /** What one's video is sent in through the SFU; VP8, which all browsers know, if left out. */
  readonly videoCodec?: VideoCodec
  /** Where `e2ee-worker.js` is, for pages whose content security policy allows no inline workers. */
  readonly workerUrl?: string
  /** What a second call does: `ring` (where left out), or be told that one is `busy`. */
  readonly callWaiting?: CallWaiting
  /**
   * `required`: keys are agreed on end to end, and whoever cannot prove who he is is not heard. `off`,
   * where left out: the servers are trusted.
   */
  readonly encryption?: 'required' | 'off'
  /** Decides on the devices one meets; left out, the first meeting is trusted and changes are not. */
  readonly trust?: TrustPolicy
}

/** What happens to somebody who calls while this device is in a call. */
export type CallWaiting = 'ring' | 'busy'

/** Everything that a client tells. */
export interface ClientEvents {
  incoming: [call: Call]
  /** The page was loaded again, and a call that it was in is back, with what it sent then. */
  resumed: [call: Call]
  /** The calls of one's other devices changed. */
  'other-calls': [calls: readonly OtherCall[]]
  presence: [users: readonly Presence[]]
  connection: [state: ConnectionState]
  /** What the token lets this device do is known or has changed. */
  grants: [grants: Grants]
  /** The connection is over for good, as when the same device connected elsewhere. */
  error: [error: CallError]
}

/** One device of one user at a Parley server. */
export class CallClient extends Emitter<ClientEvents> implements AsyncDisposable {
  readonly #options: CallClientOptions
  readonly #environment: Environment
  readonly #signaling: Signaling
  readonly #ice: IceServers
  readonly #book: CallBook
  #presence: ReadonlyMap<UserId, Presence> = new Map()
  #welcome: Welcome | undefined
  #callWaiting: CallWaiting
  readonly #memoryName: string
  /** Calls of the page before its reload, until they are brought back. */
  #kept: readonly KeptCall[] = []
  #grants: Grants | undefined
  #encryption: EncryptionMaker | undefined
  #stopListening: readonly (() => void)[] = []

  /** `environment` is for tests and for places that are no browser. */
  constructor(
    options: CallClientOptions,
    environment: Environment = browserEnvironment(socketIoLink, options.workerUrl),
  ) {
    super()
    this.#options = options
    this.#callWaiting = options.callWaiting ?? 'ring'
    this.#environment = environment
    const { url, token, device } = options
    const { clock, random, link } = environment
    this.#memoryName = `parley ${url}`
    const recall = () => this.#recall()
    this.#signaling = new Signaling({ clock, random, link, url, token, device, recall })
    const { request } = this.#signaling
    const ice = new IceServers(clock, () => request('ice.get', {}))
    this.#ice = ice
    const { iceTransportPolicy = 'all', topology = 'auto', videoCodec = 'vp8' } = options
    const supplies = { environment, ice, iceTransportPolicy, videoCodec }
    this.#book = new CallBook({
      environment,
      request,
      topology,
      pathMaker: (seat) => pathMaker(supplies, seat),
      encryptionOf: (seat) => this.#encryption?.encryptionOf(seat),
    })
    this.#listen()
  }

  get connection(): ConnectionState {
    return this.#signaling.state
  }

  /** Whom the token names, once connected. */
  get user(): UserId | undefined {
    return this.#welcome?.user
  }

  get device(): string | undefined {
    return this.#welcome?.device ?? this.#options.device
  }

  /** What the token lets this device do, once connected. */
  get grants(): Grants | undefined {
    return this.#grants
  }

  /** The calls that have not ended. */
  get calls(): readonly Call[] {
    return this.#book.calls
  }

  /** Calls that one's other devices are in, to be joined or taken over. */
  get otherCalls(): readonly OtherCall[] {
    return this.#book.others.list
  }

  /** Who is there, as last heard; changes come as `presence` events. */
  presence(): readonly Presence[] {
    return [...this.#presence.values()]
  }

  /** Connects and stays so; a lost connection comes back by itself. */
  async connect({ signal }: OperationOptions = {}): Promise<void> {
    throwIfAborted(signal)
    if (this.connection === 'connected') return
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const off = this.#signaling.on('state', (state) => {
      if (state === 'connected') resolve(undefined)
      else if (state === 'closed') reject(new CallError(this.#signaling.failure ?? 'not-connected'))
    })
    if (this.#stopListening.length === 0) this.#stopListening = this.#listenToPage()
    this.#signaling.connect()
    try {
      await abortable(promise, signal)
    } catch (error) {
      if (signal?.aborted) this.#signaling.close()
      throw error
    } finally {
      off()
    }
  }

  /** Rings a user or several, on all their devices. Resolves when the call exists, unanswered. */
  async call(user: string | readonly string[], options: MediaOptions = {}): Promise<Call> {
    const { audio = false, video = false, signal } = options
    throwIfAborted(signal)
    this.#assertConnected()
    const users = typeof user === 'string' ? [user] : user
    return this.#book.start(users, { audio, video }, signal)
  }

  /** Joins a room, which rings nobody. */
  async join(room: string, options: MediaOptions = {}): Promise<Call> {
    const { audio = false, video = false, signal } = options
    throwIfAborted(signal)
    this.#assertConnected()
    return this.#book.join(room, { audio, video }, signal)
  }

  /** Comes into a call in progress: one's other device is in it, or one was asked to join. */
  async joinCall(id: string, options: MediaOptions = {}): Promise<Call> {
    throwIfAborted(options.signal)
    this.#assertConnected()
    // The server checks the id.
    return this.#book.joinCall(id as CallId, options)
  }

  /** Chooses what a second call does from now on. */
  async setCallWaiting(callWaiting: CallWaiting, { signal }: OperationOptions = {}): Promise<void> {
    this.#assertConnected()
    await this.#signaling.request('device.prefer', { callWaiting }, { signal })
    this.#callWaiting = callWaiting
  }

  /**
   * Tries at once to get connection and media back, instead of at the next planned time. The SDK does
   * so by itself when the network changes or the page is looked at again.
   */
  reconnectNow(): void {
    this.#signaling.reopen()
    this.#book.hint({ type: 'nudged' })
  }

  /**
   * Asks `token` for a fresh one now and goes on with it, as when the user's rights have changed. Before
   * a token expires this happens by itself.
   */
  async refreshToken({ signal }: OperationOptions = {}): Promise<void> {
    this.#assertConnected()
    await abortable(this.#signaling.refresh(), signal)
  }

  /** Leaves all calls and disconnects. */
  close(): Promise<void> {
    this.#book.leaveAll()
    for (const stop of this.#stopListening) stop()
    this.#stopListening = []
    this.#ice.stop()
    this.#signaling.close()
    return Promise.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #assertConnected(): void {
    const state = this.connection
    if (state === 'idle' || state === 'closed') throw new CallError('not-connected')
  }

  #listen(): void {
    this.#book.on('incoming', (call) => this.emit('incoming', call))
    this.#book.on('resumed', (call) => this.emit('resumed', call))
    this.#book.on('kept', () => this.#remember())
    this.#book.others.on('changed', () => this.emit('other-calls', this.otherCalls))
    this.#signaling.on('state', (state) => {
      this.emit('connection', state)
      this.#book.hint({ type: 'signaling', online: state === 'connected' })
    })
    this.#signaling.on('grants', (grants) => {
      this.#grants = grants
      this.emit('grants', grants)
    })
    this.#signaling.on('welcome', (welcome) => this.#onWelcome(welcome))
    this.#signaling.on('event', (event) => {
      if (event.type === 'presence') this.#onPresence(event.data.users)
      else this.#book.handle(event)
    })
    this.#signaling.on('failed', (error) => {
      this.#book.failAll()
      this.emit('error', error)
    })
  }

  #listenToPage(): readonly (() => void)[] {
    return [
      this.#environment.onNetworkChange(() => this.#onNetworkChange()),
      this.#environment.onVisible(() => this.#onVisible()),
      // The others need not wait until the server has noticed.
      this.#environment.onPageHide(() => this.#onPageHide()),
    ]
  }

  async #recall(): ReturnType<SignalingPorts['recall']> {
    const record = readPageRecord(await this.#environment.memory.claim(this.#memoryName))
    if (!record) return undefined
    const { device, session, key, calls } = record
    this.#kept = calls
    // Nothing that the page before has heard is known to this one: it takes the state as it is.
    const resume = { session: session as SessionId, key, lastSeq: Number.MAX_SAFE_INTEGER }
    return { device, resume }
  }

  #remember(): void {
    if (!this.#welcome) return
    const { device, session, resumeKey: key } = this.#welcome
    const text = writePageRecord({ device, session, key, calls: this.#book.kept })
    this.#environment.memory.keep(this.#memoryName, text)
  }

  #onPageHide(): void {
    this.#book.leaveUnanswered()
    // Nobody is there any more to hear the answer.
    this.#signaling.request('session.leaving', {}).catch(() => undefined)
  }

  #onNetworkChange(): void {
    // A connection over the old network may seem to stand for a while, and is of no use.
    this.#signaling.reopen()
    this.#book.hint({ type: 'networkChanged' })
  }

  #onVisible(): void {
    this.#signaling.networkBack()
    this.#book.hint({ type: 'nudged' })
  }

  #onWelcome(welcome: Welcome): void {
    this.#welcome = welcome
    this.#prepareEncryption(welcome)
    this.#ice.set(welcome.ice)
    this.#book.resume(welcome)
    this.#book.restore(this.#kept)
    this.#kept = []
    this.#remember()
    if (welcome.resumed === 'replayed') return
    this.#book.others.restart(welcome)
    if (welcome.resumed === 'new' && this.#callWaiting !== 'ring') {
      // Where this fails a second call rings, which loses nothing.
      this.setCallWaiting(this.#callWaiting).catch(() => undefined)
    }
    this.#presence = new Map()
    this.#signaling.request('presence.subscribe', {}).then(
      ({ users }) => this.#onPresence(users),
      // Without presence calls still work; the next connection asks again.
      () => undefined,
    )
  }

  /** The welcome says who this device is: its keys belong to that. */
  #prepareEncryption({ user, device, resumed }: Welcome): void {
    const { encryption = 'off', trust = trustOnFirstUse } = this.#options
    if (encryption === 'off') return
    const environment = this.#environment
    const { request } = this.#signaling
    this.#encryption ??= new EncryptionMaker({ environment, request, trust }, { user, device })
    if (resumed === 'new') this.#encryption.publish()
  }

  #onPresence(users: readonly Presence[]): void {
    this.#presence = new Map([...this.#presence, ...users.map((p) => [p.user, p] as const)])
    this.emit('presence', this.presence())
  }
}
