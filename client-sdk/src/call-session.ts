import type {
  CallId,
  CallMedia,
  CallView,
  ClientRequestResult,
  EndReason,
  ParticipantId,
  ServerEvent,
} from '@parley/protocol'
import type { CallContext, CallOrigin } from './call-context.ts'
import type { CallEvents, CallPath } from './call-events.ts'
import { CallTalk, readMessage } from './call-talk.ts'
import { callState, changeFacts, hangupReason, newFacts } from './core/call-state.ts'
import type { CallFacts, CallState, Lobby } from './core/call-state.ts'
import type { KeptCall } from './core/page-record.ts'
import { isOnHold, isPaused, sentByOthers } from './core/holding.ts'
import { isBehind } from './core/media-plan.ts'
import { RING_AGAIN_WAIT_MS, SEAT_ATTEMPTS, SEAT_RETRY_MS, VIEW_DEBOUNCE_MS } from './defaults.ts'
import type { CallEncryption } from './e2ee/call-encryption.ts'
import { Emitter } from './emitter.ts'
import { CallError } from './errors.ts'
import { LocalMedia } from './local-media.ts'
import { MediaRecovery } from './media-recovery.ts'
import type { Reconnecting } from './media-recovery.ts'
import { MoveWatch } from './move-watch.ts'
import { PathWatch } from './path-watch.ts'
import { MediaPaths } from './paths.ts'
import { Playback } from './playback.ts'
import type { LocalSources } from './ports.ts'
import { QualityMonitor } from './quality-monitor.ts'
import { ringAgain } from './ring-again.ts'
import { Roster } from './roster.ts'
import { SeatHold } from './seat-hold.ts'
import type { Request } from './signaling.ts'

/** How a seat is taken again; `fresh`: anew, with this media. */
interface Retaking {
  readonly fresh?: CallMedia
  readonly known?: CallView
}

/** One call: takes in what server, devices and paths tell, and keeps them in line. */
export class CallSession extends Emitter<CallEvents> {
  readonly origin: CallOrigin
  readonly request: Request
  readonly talk: CallTalk
  readonly playback: Playback
  readonly local: LocalMedia
  readonly roster: Roster
  readonly monitor: QualityMonitor
  readonly #context: CallContext
  readonly #pathWatch: PathWatch
  readonly #seatHold: SeatHold
  readonly #recovery: MediaRecovery
  #facts: CallFacts
  #state: CallState
  #speaker: ParticipantId | undefined
  #paths: MediaPaths | undefined
  #cancelTiles: (() => void) | undefined
  #toldSending = ''
  #cancelRingWait: () => void = () => undefined
  /** The last epoch that was objected to as direct. */
  #escalatedFrom = -1
  #encrypted = false
  #paused = false
  #moveWatch: MoveWatch | undefined
  #encryption: CallEncryption | undefined
  #knock: (() => Promise<Entered>) | undefined

  constructor(context: CallContext, origin: CallOrigin) {
    super()
    const { environment } = context
    this.#context = context
    this.origin = origin
    this.#seatHold = new SeatHold(context.request, environment.clock)
    this.request = this.#seatHold.request
    this.talk = new CallTalk(this.request, () => this.id)
    this.#facts = newFacts(origin.direction, origin.view)
    this.#state = callState(this.#facts)
    this.playback = new Playback(environment)
    this.local = new LocalMedia(environment.devices, this.playback)
    this.roster = new Roster(this.playback)
    this.monitor = new QualityMonitor(
      environment.clock,
      () => this.#paths?.reports() ?? Promise.resolve([]),
      () => this.#expectsMedia(),
    )
    this.#pathWatch = new PathWatch(environment.clock, this.monitor, (path) => {
      if (this.#state !== 'ended') this.emit('path', path)
    })
    this.#recovery = new MediaRecovery({
      clock: environment.clock,
      order: (order) => this.#obey(order),
      changed: (current) => {
        if (this.#state !== 'ended') this.emit('reconnecting', current)
      },
    })
    this.#listen()
    if (origin.view) this.roster.update(origin.view, undefined)
  }

  /** The id of a room's call is known with its first view. */
  get id(): CallId {
    return this.#facts.view?.id ?? this.#facts.lobby?.call ?? this.origin.id
  }

  /** Asked for, but not yet given a seat. */
  get isEntering(): boolean {
    return this.origin.direction !== 'incoming' && this.#facts.self === undefined
  }

  get state(): CallState {
    return this.#state
  }

  get path(): CallPath | undefined {
    return this.#pathWatch.path
  }

  /** It rings while this device is in another call. */
  get waiting(): boolean {
    const rings = this.#state === 'ringing' && this.origin.direction === 'incoming'
    return rings && this.#context.inAnotherCall(this.id)
  }

  get onHold(): boolean {
    return isOnHold(this.#facts.view, this.#facts.self)
  }

  /** Since when this device's person asks to speak. */
  get handRaisedAt(): number | undefined {
    const { view, self } = this.#facts
    return view?.participants.find(({ id }) => id === self)?.handRaisedAt
  }

  /** What is being done to get media back; undefined while it flows. */
  get reconnecting(): Reconnecting | undefined {
    return this.#recovery.current
  }

  get speaker(): ParticipantId | undefined {
    // The node names the last one who spoke until somebody else does; who is muted does not speak.
    const seat = this.#facts.view?.participants.find(({ id }) => id === this.#speaker)
    return seat?.sending.microphone === true ? seat.id : undefined
  }

  /** Whether every media frame, in and out, is end-to-end encrypted now. */
  get encrypted(): boolean {
    return this.#state !== 'ended' && (this.#paths?.encrypted ?? false)
  }

  get facts(): CallFacts {
    return this.#facts
  }

  /** This device is to be let in first; `knock` asks again, as in a new session. */
  wait(lobby: Lobby, knock: () => Promise<Entered>): void {
    this.#knock = knock
    if (this.#facts.self === undefined) this.#change({ lobby })
  }

  /** Asks again to be let in, where the server may have forgotten that this device waits. */
  async knockAgain(): Promise<void> {
    for (let attempt = 1; this.#state === 'waiting'; attempt++) {
      try {
        const answer = await this.#knock?.()
        if (answer && 'call' in answer) this.join(answer.call, answer.participant)
        return
      } catch (error) {
        const code = error instanceof CallError ? error.code : 'internal'
        // The next session asks again.
        if (code === 'session-gone') return
        // After a crash of the server the call is back when somebody who is in it is.
        if (code !== 'call-not-found' || attempt >= SEAT_ATTEMPTS) {
          this.finish('failed')
          return
        }
        const { clock } = this.#context.environment
        await new Promise<void>((resolve) => void clock.after(SEAT_RETRY_MS, resolve))
      }
    }
  }

  /** The server has given this device its seat, or another one: media begins anew. */
  join(view: CallView, self: ParticipantId): void {
    if (this.#state === 'ended' || this.#facts.self !== undefined) return
    this.#seat(view, self)
    this.#tellSending()
    this.#keepToNodes(view)
    this.#watchMove(view, self)
  }

  /** The seat is now this one, in another call: media begins anew. */
  transfer(view: CallView, self: ParticipantId): void {
    if (this.#state === 'ended') return
    this.#paths?.close()
    this.#seat(view, self)
    this.emit('invites')
  }

  #seat(view: CallView, self: ParticipantId): void {
    this.#toldSending = ''
    this.#change({ view, self })
    const maker = this.#context.pathMaker({
      call: view.id,
      self,
      request: this.request,
      epoch: () => this.#facts.view?.topology.epoch ?? 0,
      encryption: this.#encrypt(view, self),
    })
    const paths = new MediaPaths(self, view, maker, this.#context.environment.clock)
    this.#paths = paths
    paths.on('streams', (streams) => this.roster.show(streams))
    paths.on('changed', () => this.#onPaths())
    paths.on('error', (error) => {
      this.emit('error', error)
      // No way back to media leads past that.
      if (error.code === 'encryption-unsupported') this.end('failed')
    })
    paths.on('ready', (epoch) => this.#tell(this.request('call.ready', { call: view.id, epoch })))
    this.#recovery.watch(paths)
    this.#paused = isPaused(view, self)
    paths.hold(isOnHold(view, self))
    this.#publish()
    paths.update(view)
  }

  /** Keys of the call, and who its people are; none before it is joined, or without encryption. */
  get encryption(): CallEncryption | undefined {
    return this.#encryption
  }

  /** The app holds the call from now on. */
  announce(): void {
    this.#change({ announced: true })
  }

  update(view: CallView): void {
    if (this.#state === 'ended') return
    this.#cancelRingWait()
    const known = this.#facts.view
    if (known && isBehind(view, known) && this.#seatHold.ticket !== undefined) {
      // A server that restored the call from an older ticket: media stays where it is until it has
      // this one, and its answer is what counts.
      if (!this.#seatHold.busy) void this.retake({ known: view })
    } else this.#adopt(view)
  }

  #adopt(view: CallView): void {
    const before = moderationOf(this.#facts)
    const wasOnHold = this.onHold
    const wasRaised = this.handRaisedAt !== undefined
    this.#changeSpeaker(() => this.#change({ view }))
    const paused = isPaused(view, this.#facts.self)
    if (paused !== this.#paused) {
      this.#paused = paused
      this.#publish()
    }
    this.#keepToNodes(view)
    this.#paths?.hold(this.onHold)
    this.#encryption?.update(view)
    this.#paths?.update(view)
    this.#tellModeration(before)
    if (this.onHold !== wasOnHold) this.emit('hold', this.onHold)
    const isRaised = this.handRaisedAt !== undefined
    if (isRaised !== wasRaised) this.emit('hand', isRaised)
    this.emit('invites')
  }

  /** Messages may have been lost. */
  resync(view: CallView): void {
    if (this.#state === 'ended') return
    this.#cancelRingWait()
    this.#adopt(view)
    this.#encryption?.resync()
    this.#paths?.resync()
    this.#toldSending = ''
    this.#tellSending()
  }

  /**
   * Takes the seat again after events were missed, with what this device knows of the call: the server
   * may know less. `known`: the call as the server sees it, if it does; else it may be over.
   */
  async retake({ fresh, known }: Retaking = {}): Promise<void> {
    if (this.#facts.self === undefined) {
      if (known) this.resync(known)
      else this.#waitForRing()
      return
    }
    try {
      const { call, participant } = await this.#seatHold.take(fresh).catch(this.#ringAnew)
      if (participant === this.#facts.self) this.resync(call)
      else this.transfer(call, participant)
    } catch {
      if (known) this.resync(known)
      else this.finish('failed')
    }
  }

  /** Something that the way back to media must know. */
  keepTicket(ticket: string): void {
    this.#seatHold.keep(ticket)
  }

  /** Asks for a fresh seat in place of the one that this device had. */
  takeFresh(): ReturnType<SeatHold['take']> {
    return this.#seatHold.take(this.origin.media)
  }

  /** What a reload should find again; undefined without a seat. */
  get kept(): KeptCall | undefined {
    const { ticket } = this.#seatHold
    if (ticket === undefined || this.#facts.self === undefined) return undefined
    const { direction, from } = this.origin
    const { microphone, camera } = this.local.sending
    return { id: this.id, ticket, direction, from, audio: microphone, video: camera }
  }

  hint(event: Parameters<MediaRecovery['take']>[0]): void {
    this.#recovery.take(event)
  }

  handle(event: ServerEvent): void {
    switch (event.type) {
      case 'call.ticket':
        this.#seatHold.keep(event.data.ticket)
        return
      case 'call.updated':
        this.update(event.data.call)
        return
      case 'call.ended':
        this.finish(event.data.reason)
        return
      case 'call.signal':
        this.#paths?.signal(event.data.from, event.data.signal)
        return
      case 'sfu.speaker':
        this.#changeSpeaker(() => (this.#speaker = event.data.participant ?? undefined))
        return
      case 'call.message':
        this.#onMessage(event.data)
        return
      case 'call.reaction':
        this.#onReaction(event.data)
        return
      case 'call.admitted':
        this.join(event.data.call, event.data.participant)
        return
      case 'call.mute-requested': {
        const { sources, by } = event.data
        this.emit('mute-requested', { sources, by })
        return
      }
      case 'call.muted':
        this.#onMuted(event.data)
        return
      case 'sfu.demand':
        this.#onDemand(event.data)
        return
      case 'sfu.layer':
        this.#onLayer(event.data)
        return
      default:
        this.#encryption?.handle(event)
      // The others are about the client, not about a call.
    }
  }

  /** Leaves: media stops at once, the server is told. */
  end(reason: EndReason = hangupReason(this.#facts)): void {
    if (this.#state === 'ended') return
    const declines = this.#facts.direction === 'incoming' && this.#facts.self === undefined
    const call = this.id
    const told = declines
      ? this.#context.request('call.decline', { call })
      : this.#seatHold.leave(call)
    // Where this fails, the server ends the seat with the session.
    told.catch(() => undefined)
    this.finish(reason)
  }

  /** The call is over here. */
  finish(reason: EndReason): void {
    if (this.#state === 'ended') return
    this.monitor.stop()
    this.#recovery.stop()
    this.#cancelRingWait()
    this.#cancelTiles?.()
    this.#moveWatch?.stop()
    this.#paths?.close()
    this.#encryption?.close()
    this.local.stop()
    this.#change({ endReason: reason })
    this.roster.clear()
  }

  /** Throws if there is no call any more to do something in. */
  assertOpen(): void {
    if (this.#state === 'ended') throw new CallError('call-ended')
  }

  #encrypt(view: CallView, self: ParticipantId): CallEncryption | undefined {
    const encryption = this.#context.encryptionOf({ call: view.id, self })
    this.#encryption = encryption
    encryption?.on('alarm', (alarm) => this.emit('security', alarm))
    encryption?.on('changed', () => this.emit('verification'))
    encryption?.update(view)
    return encryption
  }

  #listen(): void {
    this.local.on('changed', () => {
      this.#publish()
      this.#tellSending()
      this.emit('local')
    })
    this.local.on('lost', (error) => this.emit('error', error))
    this.playback.on('blocked', () => this.emit('playback-blocked'))
    this.roster.on('track', (track, participant) => this.emit('track', track, participant))
    this.roster.on('trackRemoved', (track, who) => this.emit('track-removed', track, who))
    this.roster.on('joined', (participant) => this.emit('participant-joined', participant))
    this.roster.on('left', (participant) => this.emit('participant-left', participant))
    this.roster.on('updated', (participant) => this.emit('participant-updated', participant))
    this.roster.on('tiles', () => this.#planTiles())
    this.monitor.on('quality', (quality) => this.emit('quality', quality))
  }

  #change(change: Parameters<typeof changeFacts>[1]): void {
    this.#facts = changeFacts(this.#facts, change)
    if (change.view) {
      this.roster.update(change.view, this.#facts.self)
      this.#recovery.see(change.view, this.#facts.self)
    }
    const state = callState(this.#facts)
    if (state === this.#state) return
    this.#state = state
    this.emit('state', state)
  }

  /** Hands on what is to be sent: while the call is paused, nothing. */
  #publish(): void {
    const { sources } = this.local
    this.#paths?.publish(this.#paused ? silenced(sources) : sources)
  }

  #watchMove(view: CallView, self: ParticipantId): void {
    const seat = view.participants.find(({ id }) => id === self)
    if (seat?.replaces === undefined) return
    this.#moveWatch = new MoveWatch({
      clock: this.#context.environment.clock,
      wanted: () => (this.#facts.view ? sentByOthers(this.#facts.view, seat.user) : []),
      decoded: () => this.#paths?.decoded() ?? Promise.resolve(new Set()),
      settled: () => this.#tell(this.request('call.settle', { call: this.id })),
    })
  }

  #onPaths(): void {
    const paths = this.#paths
    if (!paths || this.#state === 'ended') return
    const inCompany = this.roster.participants.size > 0
    this.#tellEncrypted(paths.encrypted)
    if (!this.#pathWatch.look(paths, inCompany, () => this.#onPaths())) return
    this.#change({ media: paths.state })
  }

  #tellEncrypted(encrypted: boolean): void {
    if (encrypted === this.#encrypted) return
    this.#encrypted = encrypted
    this.emit('encryption', encrypted)
  }

  #onMessage({ from: id, direct, message }: DataOf<'call.message'>): void {
    const from = this.roster.participants.get(id)
    const data = readMessage(message)
    if (from && data !== undefined) this.emit('message', { data, from, direct })
  }

  #onReaction({ from: id, reaction }: DataOf<'call.reaction'>): void {
    const from = this.roster.participants.get(id)
    if (from) this.emit('reaction', reaction, from)
  }

  #tellModeration(before: ReturnType<typeof moderationOf>): void {
    const now = moderationOf(this.#facts)
    if (now.lobby !== before.lobby) this.emit('lobby', this.#facts.view?.waiting ?? [])
    if (now.policy !== before.policy) this.emit('policy')
  }

  #onMuted({ sources, reason, by }: DataOf<'call.muted'>): void {
    this.local.withdraw(sources)
    this.emit('muted', { sources, reason, by })
  }

  #onDemand({ producer, maxSpatialLayer, reason }: DataOf<'sfu.demand'>): void {
    const source = this.#paths?.demand(producer, maxSpatialLayer)
    if (!source) return
    const layer = maxSpatialLayer < 0 ? null : maxSpatialLayer
    const track = this.local.demand(source, { layer, reason })
    if (track) this.emit('demand', track)
  }

  #onLayer({ consumer, spatialLayer, reason }: DataOf<'sfu.layer'>): void {
    const key = this.#paths?.keyOf(consumer)
    const found = key && this.roster.layer(key, { layer: spatialLayer, reason })
    if (found) this.emit('layer', found.track, found.participant)
  }

  #planTiles(): void {
    if (this.#cancelTiles || this.#state === 'ended') return
    this.#cancelTiles = this.#context.environment.clock.after(VIEW_DEBOUNCE_MS, () => {
      this.#cancelTiles = undefined
      this.#paths?.show(this.roster.tiles)
    })
  }

  #tellSending(): void {
    const { sending } = this.local
    const told = JSON.stringify(sending)
    if (this.#facts.self === undefined || told === this.#toldSending) return
    this.#toldSending = told
    this.#tell(this.request('call.sending', { call: this.id, sending }))
  }

  /** Does what may change who speaks, and tells if it did. */
  #changeSpeaker(change: () => unknown): void {
    const before = this.speaker
    change()
    if (this.speaker !== before) this.emit('active-speaker', this.speaker)
  }

  /** The server has lost a call that nobody had answered yet. */
  readonly #ringAnew = (error: unknown) => {
    const { view } = this.#facts
    const ringing = view?.invites.filter(({ state }) => state === 'ringing') ?? []
    const isLost = error instanceof CallError && error.code === 'call-not-found'
    const mayRing = this.origin.direction === 'outgoing' && view?.answered === false
    if (!isLost || !mayRing || ringing.length === 0 || this.#state === 'ended') throw error
    const { media } = this.origin
    const { request, environment } = this.#context
    const users = ringing.map(({ user }) => user)
    return ringAgain({ request, clock: environment.clock }, { call: this.id, users, media })
  }

  /** The caller rings anew after a crash of the server; if he does not, the call is over. */
  #waitForRing(): void {
    this.#cancelRingWait()
    const { clock } = this.#context.environment
    this.#cancelRingWait = clock.after(RING_AGAIN_WAIT_MS, () => this.finish('cancelled'))
  }

  /** The ladder's orders that concern the whole call. */
  #obey(order: 'changePath' | 'rejoin' | 'giveUp'): void {
    if (order === 'changePath') this.#escalate()
    else if (order === 'rejoin') {
      const { microphone, camera } = this.local.sending
      void this.retake({ fresh: { audio: microphone, video: camera } })
    } else this.end('failed')
  }

  /** Where the app forbids direct paths, says so when the server thinks of one. */
  #keepToNodes({ topology: { path, epoch, next } }: CallView): void {
    const isDirect = next ? next.path === 'p2p' : path === 'p2p'
    const asked = next?.epoch ?? epoch
    if (this.#context.topology !== 'sfu' || this.#facts.self === undefined) return
    if (!isDirect || asked <= this.#escalatedFrom) return
    this.#escalatedFrom = asked
    this.#escalate()
  }

  #escalate(): void {
    this.#tell(this.request('call.escalate', { call: this.id }))
  }

  /** Sends what nobody waits for; a failure is an event. */
  #tell(request: Promise<unknown>): void {
    request.catch((error: unknown) => {
      if (this.#state !== 'ended' && error instanceof CallError) this.emit('error', error)
    })
  }

  #expectsMedia(): boolean {
    const { view, self } = this.#facts
    if (this.onHold) return false
    return (
      view?.participants.some(
        ({ id, sending }) => id !== self && (sending.microphone || sending.camera),
      ) ?? false
    )
  }
}

/** What a change of is worth an event, as texts to compare. */
function moderationOf({ view, self }: CallFacts) {
  const own = view?.participants.find(({ id }) => id === self)
  return {
    lobby: JSON.stringify(view?.waiting ?? []),
    policy: JSON.stringify([view?.locked, view?.lobby, own?.moderator, own?.silenced]),
  }
}

function silenced(sources: LocalSources): LocalSources {
  return new Map([...sources.keys()].map((source) => [source, { track: undefined, live: false }]))
}

/** A seat, or a place in the lobby. */
export type Entered = ClientRequestResult<'room.join'>

type DataOf<T extends ServerEvent['type']> = Extract<ServerEvent, { type: T }>['data']
