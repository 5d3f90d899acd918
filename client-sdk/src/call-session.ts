import type {
  CallId,
  CallView,
  ClientRequestResult,
  EndReason,
  ParticipantId,
  ServerEvent,
  ServerEventData,
} from '@parley/protocol'
import type { CallContext, CallOrigin } from './call-context.ts'
import type { CallEvents } from './call-events.ts'
import { CallPrivacy } from './call-privacy.ts'
import { CallTalk, readMessage } from './call-talk.ts'
import { changesOf } from './core/call-changes.ts'
import { callState, changeFacts, hangupReason, newFacts } from './core/call-state.ts'
import type { CallFacts, CallState, Lobby } from './core/call-state.ts'
import type { KeptCall } from './core/page-record.ts'
import { isOnHold } from './core/holding.ts'
import { isBehind } from './core/media-plan.ts'
import type { Said } from './e2ee/sealed-talk.ts'
import { Emitter } from './emitter.ts'
import { CallError } from './errors.ts'
import { LocalMedia } from './local-media.ts'
import { MediaFlow } from './media-flow.ts'
import { Playback } from './playback.ts'
import { Roster } from './roster.ts'
import { SeatHold } from './seat-hold.ts'
import { SeatReturn } from './seat-return.ts'
import type { Retaking } from './seat-return.ts'
import type { Request } from './signaling.ts'

/** One call: takes in what server, devices and paths tell, and keeps them in line. */
export class CallSession extends Emitter<CallEvents> {
  readonly origin: CallOrigin
  readonly request: Request
  readonly talk: CallTalk
  readonly playback: Playback
  readonly local: LocalMedia
  readonly roster: Roster
  readonly privacy: CallPrivacy
  readonly media: MediaFlow
  readonly #context: CallContext
  readonly #seatHold: SeatHold
  readonly #return: SeatReturn
  #facts: CallFacts
  #state: CallState
  #speaker: ParticipantId | undefined
  #toldSending = ''
  #knock: (() => Promise<Entered>) | undefined

  constructor(context: CallContext, origin: CallOrigin) {
    super()
    const { environment } = context
    this.#context = context
    this.origin = origin
    this.#seatHold = new SeatHold(context.request, environment.clock)
    this.request = this.#seatHold.request
    this.talk = new CallTalk(
      this.request,
      () => this.id,
      () => this.privacy.keys,
    )
    this.#facts = newFacts(origin.direction, origin.view)
    this.#state = callState(this.#facts)
    this.playback = new Playback(environment)
    this.local = new LocalMedia(environment.devices, this.playback)
    this.roster = new Roster(this.playback)
    this.privacy = new CallPrivacy(context, this.roster)
    this.#return = new SeatReturn(this, context, this.#seatHold)
    this.media = new MediaFlow({
      context,
      request: this.request,
      local: this.local,
      roster: this.roster,
      privacy: this.privacy,
      facts: () => this.#facts,
      rejoin: () => this.#rejoin(),
      giveUp: () => this.end('failed'),
      tell: (request) => this.#tell(request),
    })
    this.#listen()
    if (origin.view) this.roster.update(origin.view, undefined)
  }

  /** The id of a room's call is known with its first view. */
  get id(): CallId {
    return this.#facts.view?.id ?? this.#facts.lobby?.call ?? this.origin.id
  }

  /** Writes and reads what goes with a ring. */
  get payloads(): CallContext['payloads'] {
    return this.#context.payloads
  }

  /** Asked for, but not yet given a seat. */
  get isEntering(): boolean {
    return this.origin.direction !== 'incoming' && this.#facts.self === undefined
  }

  get state(): CallState {
    return this.#state
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

  get speaker(): ParticipantId | undefined {
    // The node names the last one who spoke until somebody else does; who is muted does not speak.
    const seat = this.#facts.view?.participants.find(({ id }) => id === this.#speaker)
    return seat?.sending.microphone === true ? seat.id : undefined
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
  knockAgain(): Promise<void> {
    return this.#return.knock(this.#knock)
  }

  /** The server has given this device its seat, or another one: media begins anew. */
  join(view: CallView, self: ParticipantId): void {
    if (this.#state === 'ended' || this.#facts.self !== undefined) return
    this.#seat(view, self)
    if (this.#facts.endReason !== undefined) return
    this.#tellSending()
    this.media.watchMove(view, self)
  }

  /** The seat is now this one, in another call: media begins anew. */
  transfer(view: CallView, self: ParticipantId): void {
    if (this.#state === 'ended') return
    this.#seat(view, self)
    this.emit('invites')
  }

  #seat(view: CallView, self: ParticipantId): void {
    this.#toldSending = ''
    this.#change({ view, self })
    const unlike = this.privacy.unlike(view)
    if (unlike) {
      this.emit('error', unlike)
      this.end('failed')
      return
    }
    this.media.begin(view, self)
  }

  /** The app holds the call from now on. */
  announce(): void {
    this.#change({ announced: true })
  }

  update(view: CallView): void {
    if (this.#state === 'ended') return
    this.#return.stopWaiting()
    const known = this.#facts.view
    if (known && isBehind(view, known) && this.#seatHold.ticket !== undefined) {
      // A server that restored the call from an older ticket: media stays where it is until it has
      // this one, and its answer is what counts.
      if (!this.#seatHold.busy) void this.retake({ known: view })
    } else this.#adopt(view)
  }

  #adopt(view: CallView): void {
    const before = this.#facts
    this.#changeSpeaker(() => this.#change({ view }))
    this.media.update(view)
    const { hold, hand, lobby, policy } = changesOf(before, this.#facts)
    if (lobby) this.emit('lobby', view.waiting ?? [])
    if (policy) this.emit('policy')
    if (hold !== undefined) this.emit('hold', hold)
    if (hand !== undefined) this.emit('hand', hand)
    this.emit('invites')
  }

  /** Messages may have been lost. */
  resync(view: CallView): void {
    if (this.#state === 'ended') return
    this.#return.stopWaiting()
    this.#adopt(view)
    this.media.resync()
    this.#toldSending = ''
    this.#tellSending()
  }

  /** Takes the seat again after events were missed. */
  retake(how: Retaking = {}): Promise<void> {
    return this.#return.retake(how)
  }

  /** What the seat is taken again with. */
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

  hint(event: Parameters<MediaFlow['hint']>[0]): void {
    this.media.hint(event)
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
        this.media.signal(event.data.from, event.data.signal)
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
      case 'call.mute-requested':
        this.emit('mute-requested', { sources: event.data.sources, by: event.data.by })
        return
      case 'call.muted':
        this.#onMuted(event.data)
        return
      case 'sfu.demand':
        this.media.takeDemand(event.data)
        return
      case 'sfu.layer':
        this.media.takeLayer(event.data)
        return
      default:
        this.privacy.handle(event)
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
    this.#return.stopWaiting()
    this.media.stop()
    this.local.stop()
    this.#change({ endReason: reason })
    this.roster.clear()
  }

  /** Throws if there is no call any more to do something in. */
  assertOpen(): void {
    if (this.#state === 'ended') throw new CallError('call-ended')
  }

  #listen(): void {
    this.local.on('changed', () => {
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
    this.privacy.on('said', (said) => this.#onSaid(said))
    this.privacy.on('security', (alarm) => this.emit('security', alarm))
    this.privacy.on('verification', () => this.emit('verification'))
    this.privacy.on('encryption', (encrypted) => this.emit('encryption', encrypted))
    this.media.on('path', (path) => this.emit('path', path))
    this.media.on('reconnecting', (current) => this.emit('reconnecting', current))
    this.media.on('layer', (track, participant) => this.emit('layer', track, participant))
    this.media.on('demand', (track) => this.emit('demand', track))
    this.media.on('quality', (quality) => this.emit('quality', quality))
    this.media.on('error', (error) => this.emit('error', error))
    this.media.on('media', (media) => this.#change({ media }))
  }

  #change(change: Parameters<typeof changeFacts>[1]): void {
    this.#facts = changeFacts(this.#facts, change)
    if (change.view) {
      this.roster.update(change.view, this.#facts.self)
      this.media.see(change.view, this.#facts.self)
    }
    const state = callState(this.#facts)
    if (state === this.#state) return
    this.#state = state
    this.emit('state', state)
  }

  #onMessage({ from, direct, message }: ServerEventData<'call.message'>): void {
    if ('sealed' in message) this.privacy.keys?.take(from, message)
    else if (this.privacy.allowsClear(from)) {
      const data = readMessage(message)
      if (data !== undefined) this.#onSaid({ saying: { kind: 'message', data }, from, direct })
    }
  }

  #onReaction({ from, reaction: data }: ServerEventData<'call.reaction'>): void {
    if (!this.privacy.allowsClear(from)) return
    this.#onSaid({ saying: { kind: 'reaction', data }, from, direct: false })
  }

  #onSaid({ saying, from: id, direct }: Said): void {
    const from = this.roster.participants.get(id)
    if (!from) return
    if (saying.kind === 'reaction') this.emit('reaction', saying.data, from)
    else this.emit('message', { data: saying.data, from, direct })
  }

  #onMuted({ sources, reason, by }: ServerEventData<'call.muted'>): void {
    this.local.withdraw(sources)
    this.emit('muted', { sources, reason, by })
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

  /** A fresh seat, with what is sent now. */
  #rejoin(): void {
    const { microphone, camera } = this.local.sending
    void this.retake({ fresh: { audio: microphone, video: camera } })
  }

  /** Sends what nobody waits for; a failure is an event. */
  #tell(request: Promise<unknown>): void {
    request.catch((error: unknown) => {
      if (this.#state !== 'ended' && error instanceof CallError) this.emit('error', error)
    })
  }
}

/** A seat, or a place in the lobby. */
export type Entered = ClientRequestResult<'room.join'>
