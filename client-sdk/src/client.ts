import type { CallId, Grants, Presence, SessionId, UserId, Welcome } from '@parley/protocol'
import { browserEnvironment } from './browser/environment.ts'
import { CallBook } from './call-book.ts'
import type { Call, MediaOptions, OperationOptions, RingOptions } from './call.ts'
import type { CallClientOptions, CallWaiting, ClientEvents } from './client-options.ts'
import type { ConnectionState } from './core/connection.ts'
import { readPageRecord, writePageRecord } from './core/page-record.ts'
import type { PageRecord } from './core/page-record.ts'
import { DEFAULT_ENCRYPTION } from './defaults.ts'
import { trustOnFirstUse } from './e2ee/identity/identity.ts'
import { Emitter } from './emitter.ts'
import { EncryptionMaker } from './encryption-maker.ts'
import { abortable, CallError, throwIfAborted } from './errors.ts'
import { IceServers } from './ice-servers.ts'
import { MissedCalls } from './missed-calls.ts'
import type { MissedCall } from './missed-calls.ts'
import type { OtherCall } from './other-calls.ts'
import { OwnIdentity } from './own-identity.ts'
import { pathMaker } from './path-maker.ts'
import type { Environment } from './ports.ts'
import { PresenceWatch } from './presence-watch.ts'
import type { OwnPresence, Watched } from './presence-watch.ts'
import { disablePush, enablePush } from './push.ts'
import type { PushOptions } from './push.ts'
import { RingPayloads } from './ring-payloads.ts'
import { Signaling } from './signaling.ts'
import type { SignalingPorts } from './signaling.ts'
import { socketIoLink } from './socketio/link.ts'

/** One device of one user at a Parley server. */
export class CallClient extends Emitter<ClientEvents> implements AsyncDisposable {
  /** Who this device is to others, and the user's other devices. */
  readonly identity: OwnIdentity
  readonly #options: CallClientOptions
  readonly #environment: Environment
  readonly #signaling: Signaling
  readonly #ice: IceServers
  readonly #book: CallBook
  readonly #presence: PresenceWatch
  readonly #missed: MissedCalls
  readonly #payloads: RingPayloads
  #welcome: Welcome | undefined
  #callWaiting: CallWaiting
  readonly #memoryName: string
  /** What the page knew before its reload, until it is brought back. */
  #before: PageRecord | undefined
  #grants: Grants | undefined
  #encryption: EncryptionMaker | undefined
  #stopListening: readonly (() => void)[] = []

  /** `environment` is for tests and for places that are no browser. */
  constructor(
    options: CallClientOptions,
    environment: Environment = browserEnvironment(
      socketIoLink(options.wireFormat),
      options.workerUrl,
    ),
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
    const { trust = trustOnFirstUse } = options
    this.identity = new OwnIdentity({ environment, request, trust })
    this.#presence = new PresenceWatch(request)
    this.#missed = new MissedCalls({
      ...{ clock, request },
      isListening: () => this.hasListener('missed'),
      tell: (missed) => this.emit('missed', missed),
      open: (payload, { call, from }) => this.#payloads.read(payload, { call, from }),
      kept: () => this.#remember(),
    })
    const ice = new IceServers(clock, () => request('ice.get', {}))
    this.#ice = ice
    const { iceTransportPolicy = 'all', topology = 'auto', videoCodec = 'vp8' } = options
    const encrypts = (options.encryption ?? DEFAULT_ENCRYPTION) === 'required'
    this.#payloads = new RingPayloads(this.identity, encrypts)
    const supplies = { environment, ice, iceTransportPolicy, videoCodec, topology }
    this.#book = new CallBook({
      environment,
      request,
      topology,
      pathMaker: (seat) => pathMaker(supplies, seat),
      encrypts,
      assertEncrypts: () => (encrypts ? environment.frames.check() : Promise.resolve()),
      payloads: this.#payloads,
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

  /** One's other devices that are connected now: those that `call.move()` can ring. */
  async ownDevices(options: OperationOptions = {}): Promise<readonly string[]> {
    this.#assertConnected()
    return (await this.#signaling.request('devices.connected', {}, options)).devices
  }

  /** Who is there of those who are watched, as last heard; changes come as `presence` events. */
  presence(): readonly Presence[] {
    return this.#presence.list
  }

  /** What this device tells of its person. */
  get ownPresence(): OwnPresence {
    return this.#presence.own
  }

  /** The missed calls that this page has heard of, oldest first. */
  missedCalls(): readonly MissedCall[] {
    return this.#missed.list
  }

  override on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (...args: ClientEvents[Name]) => void,
  ): () => void {
    const off = super.on(name, listener)
    // Calls that were missed before anybody listened are told to the first who does.
    if (name === 'missed') this.#environment.clock.after(0, () => this.#missed.deliver())
    return off
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
  async call(user: string | readonly string[], options: RingOptions = {}): Promise<Call> {
    const { audio = false, video = false, payload, signal } = options
    throwIfAborted(signal)
    this.#assertConnected()
    const users = typeof user === 'string' ? [user] : user
    return this.#book.start(users, { audio, video, payload, signal })
  }

  /** Joins a room, which rings nobody. After a reload it answers the call that is `resumed`, if it is there. */
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

  /** Tells the others that one is at this device, away from it, or does not want to be seen. */
  async setPresence(own: OwnPresence, options: OperationOptions = {}): Promise<void> {
    throwIfAborted(options.signal)
    this.#assertConnected()
    await this.#presence.tell(own, options)
  }

  /**
   * Watches these people from now on, 500 at most, in place of those before; without a list all whom
   * the token allows, as it is from the start.
   */
  async watchPresence(users?: readonly string[], options: OperationOptions = {}): Promise<Watched> {
    throwIfAborted(options.signal)
    this.#assertConnected()
    return this.#presence.watch(users, options)
  }

  /** Watches nobody any more. */
  async unwatchPresence(options: OperationOptions = {}): Promise<void> {
    throwIfAborted(options.signal)
    this.#assertConnected()
    await this.#presence.unwatch(options)
  }

  /**
   * Has the server wake this browser when a call rings while no page is open. Call it in a click, as the
   * browser asks the person; later, at each start of the page, as subscriptions change.
   */
  async enablePush(options: PushOptions): Promise<void> {
    this.#assertConnected()
    const { push } = this.#environment
    await enablePush({ push, request: this.#signaling.request }, options)
  }

  /** Undoes `enablePush()`. */
  async disablePush(options: OperationOptions = {}): Promise<void> {
    this.#assertConnected()
    const { push } = this.#environment
    await disablePush({ push, request: this.#signaling.request }, options)
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
    this.identity.close()
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
    this.#presence.on('changed', () => this.emit('presence', this.presence()))
    this.#signaling.on('event', (event) => {
      if (event.type === 'presence') this.#presence.take(event.data.users)
      else if (event.type === 'mailbox.missed') this.#missed.take(event.data.missed)
      else if (event.type === 'devices.changed') this.identity.handle(event)
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
    this.#before = record
    const { device, session, key } = record
    // Nothing that the page before has heard is known to this one: it takes the state as it is.
    const resume = { session: session as SessionId, key, lastSeq: Number.MAX_SAFE_INTEGER }
    return { device, resume }
  }

  #remember(): void {
    if (!this.#welcome) return
    const { user, device, session, resumeKey: key } = this.#welcome
    const { toldSeq: missedSeq } = this.#missed
    const text = writePageRecord({
      ...{ user, device, session, key, missedSeq },
      calls: this.#book.kept,
    })
    this.#environment.memory.keep(this.#memoryName, text)
  }

  /** Brings back what the page knew before its reload; somebody else may have signed in since. */
  #restore(user: UserId): void {
    const before = this.#before
    this.#before = undefined
    if (before?.user !== user) return
    this.#book.restore(before.calls)
    this.#missed.restore(before.missedSeq)
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
    this.#restore(welcome.user)
    this.#remember()
    this.#presence.connected(welcome.resumed !== 'replayed')
    if (welcome.resumed === 'replayed') return
    this.#book.others.restart(welcome)
    if (welcome.resumed === 'new' && this.#callWaiting !== 'ring') {
      // Where this fails a second call rings, which loses nothing.
      this.setCallWaiting(this.#callWaiting).catch(() => undefined)
    }
  }

  /** The welcome says who this device is: its keys belong to that. */
  #prepareEncryption({ user, device, resumed }: Welcome): void {
    if ((this.#options.encryption ?? DEFAULT_ENCRYPTION) === 'off') return
    const environment = this.#environment
    const signaling = this.#signaling
    const identity = this.identity.open(user, device)
    this.#encryption ??= new EncryptionMaker({ environment, signaling, identity }, device)
    if (resumed !== 'replayed') this.identity.publish()
  }
}
