import type {
  CallId,
  CallMedia,
  ClientRequestData,
  ClientRequestType,
  DeviceId,
  EndReason,
  HandOver,
  InviteView,
  ParticipantId,
  RoomName,
  TrackSource,
  UserId,
} from '@parley/protocol'
import type { CallEvents, CallPath } from './call-events.ts'
import type { CallData, SendOptions } from './call-talk.ts'
import type { CallSession } from './call-session.ts'
import type { CallDirection, CallState } from './core/call-state.ts'
import type { Protection } from './core/frames/call-protection.ts'
import type { Quality } from './core/quality.ts'
import type { MediaSample } from './core/stats.ts'
import { abortable, CallError } from './errors.ts'
import type { Reconnecting } from './media-recovery.ts'
import { RingingCall } from './ringing-call.ts'
import type { InviteOptions } from './ringing-call.ts'
import type { Participant } from './roster.ts'
import type { LocalTrack } from './tracks.ts'

/** What a method takes besides its subject. `signal` ends the waiting with `aborted`. */
export interface OperationOptions {
  readonly signal?: AbortSignal
}

/** With what one comes into a call; both are off where left out. */
export interface MediaOptions extends OperationOptions {
  readonly audio?: boolean
  readonly video?: boolean
}

/** How to ring somebody: with what, and what goes with it. */
export interface RingOptions extends MediaOptions, InviteOptions {}

/** How to answer: with what, and what becomes of the device's other calls. */
export interface AcceptOptions extends MediaOptions {
  /** `hold` where left out. */
  readonly others?: 'hold' | 'end'
}

/**
 * A call or a room, ringing or running. Methods may be called in any state and twice: what is
 * already so stays so. They reject with a {@link CallError}.
 */
export class Call extends RingingCall implements AsyncDisposable {
  readonly #session: CallSession
  #accepting: Promise<void> | undefined

  /** Made by the client. */
  constructor(session: CallSession) {
    super(session)
    this.#session = session
  }

  get id(): CallId {
    return this.#session.id
  }

  get direction(): CallDirection {
    return this.#session.origin.direction
  }

  /** Who calls; undefined in rooms. */
  get from(): UserId | undefined {
    return this.#session.origin.from
  }

  /** Who gives the call to this device: it takes his place in it. Undefined for ordinary calls. */
  get offeredBy(): { readonly user: UserId; readonly how: HandOver } | undefined {
    const { offer, view } = this.#session.origin
    const giver = view?.participants.find(({ id }) => id === offer?.by)
    return offer && giver && { user: giver.user, how: offer.how }
  }

  /** It rings while this device is in another call: `accept` puts that one on hold. */
  get waiting(): boolean {
    return this.#session.waiting
  }

  /** This device holds the call; see `participant.onHold` for the others. */
  get onHold(): boolean {
    return this.#session.onHold
  }

  /** Since when one asks to speak, ms since the epoch; see `participant.handRaisedAt` for the others. */
  get handRaisedAt(): number | undefined {
    return this.#session.handRaisedAt
  }

  /** What the call was started with: an audio or a video call. */
  get media(): CallMedia {
    return this.#session.origin.media
  }

  get room(): RoomName | undefined {
    const { view, lobby } = this.#session.facts
    return view?.room ?? lobby?.room
  }

  get state(): CallState {
    return this.#session.state
  }

  /** Which way media goes; undefined before it does. */
  get path(): CallPath | undefined {
    return this.#session.media.path
  }

  /** While media is being got back: by what, and since when. */
  get reconnecting(): Reconnecting | undefined {
    return this.#session.media.reconnecting
  }

  /** Why the call ended; undefined until then. */
  get endReason(): EndReason | undefined {
    return this.#session.facts.endReason
  }

  /** The others who are in the call now. */
  get participants(): ReadonlyMap<ParticipantId, Participant> {
    return this.#session.roster.participants
  }

  /** One's own participant id, once in the call. */
  get self(): ParticipantId | undefined {
    return this.#session.facts.self
  }

  /** The user or own device that is asked to take this one's place, and has not answered yet. */
  get handingOver(): InviteView | undefined {
    return this.invites.find(({ state, offer }) => state === 'ringing' && offer?.by === this.self)
  }

  /** One's own tracks, for the self-view. */
  get local(): readonly LocalTrack[] {
    return this.#session.local.tracks
  }

  /** What one sends now. */
  get sending(): {
    readonly microphone: boolean
    readonly camera: boolean
    readonly screen: boolean
  } {
    return this.#session.local.sending
  }

  /** Participant id of who speaks; known on the path through the SFU. */
  get activeSpeaker(): ParticipantId | undefined {
    return this.#session.speaker
  }

  get quality(): Quality {
    return this.#session.media.monitor.quality
  }

  /** True only while every media frame is end-to-end encrypted. */
  get encrypted(): boolean {
    return this.#session.media.encrypted
  }

  /** How far the call is from that, and why; told of by `encryption` and `verification`. */
  get protection(): Protection {
    return this.#session.privacy.protection(this.encrypted)
  }

  /**
   * 30 digits that all who are in the call compare to know that nobody sits between them. They change
   * with everybody who comes or goes; undefined while one is alone, or without encryption.
   */
  get verification(): string | undefined {
    return this.#session.privacy.keys?.verification
  }

  /**
   * 45 digits for the two people that stay the same over calls; equal on both sides unless somebody
   * sits in between.
   */
  async safetyNumber(participant: ParticipantId): Promise<string | undefined> {
    return this.#session.privacy.keys?.safetyNumberWith(participant)
  }

  /** The safety number was compared and is the same. */
  async markVerified(participant: ParticipantId): Promise<void> {
    await this.#session.privacy.keys?.markVerified(participant)
  }

  /** Takes somebody whose identity has changed as he is now: until then he is not heard. */
  async acceptIdentity(participant: ParticipantId): Promise<void> {
    await this.#session.privacy.keys?.accept(participant)
  }

  /** What the browser counts for the path in use. */
  stats(): Promise<MediaSample> {
    return this.#session.media.monitor.sample()
  }

  /** Registers a listener; the answer takes it away again. */
  on<Name extends keyof CallEvents>(
    name: Name,
    listener: (...args: CallEvents[Name]) => void,
  ): () => void {
    return this.#session.on(name, listener)
  }

  once<Name extends keyof CallEvents>(
    name: Name,
    listener: (...args: CallEvents[Name]) => void,
  ): () => void {
    return this.#session.once(name, listener)
  }

  off<Name extends keyof CallEvents>(
    name: Name,
    listener: (...args: CallEvents[Name]) => void,
  ): void {
    this.#session.off(name, listener)
  }

  /** Answers. Where a device cannot be opened it rejects, and the call rings on. */
  async accept(options: AcceptOptions = {}): Promise<void> {
    const session = this.#session
    session.assertOpen()
    if (session.facts.self !== undefined) return
    if (this.direction !== 'incoming') throw new CallError('not-ringing')
    this.#accepting ??= this.#accept(options).finally(() => (this.#accepting = undefined))
    await this.#accepting
  }

  /** Refuses the call for all of one's devices; in a call it hangs up. */
  decline(): Promise<void> {
    return this.hangup()
  }

  /** Leaves the call, or cancels it where nobody has answered. Devices are closed at once. */
  hangup(): Promise<void> {
    this.#session.end()
    return Promise.resolve()
  }

  /** Puts the call on hold: nothing is sent or heard until `resume()`. */
  async hold({ signal }: OperationOptions = {}): Promise<void> {
    await this.#ask('call.hold', { call: this.id, on: true }, signal)
  }

  /** Takes the call up again; this device's other calls are put on hold. */
  async resume({ signal }: OperationOptions = {}): Promise<void> {
    await this.#ask('call.hold', { call: this.id, on: false }, signal)
  }

  /**
   * Rings somebody who is to take this device's place. The call goes on meanwhile; it ends here as
   * `transferred` when he accepts, and stays where he does not: see `invites`.
   */
  async transfer(user: string, { signal }: OperationOptions = {}): Promise<void> {
    // The server checks the name.
    await this.#ask('call.transfer', { call: this.id, to: user as UserId }, signal)
  }

  /** Brings the others of this call into another one of this device, and leaves both. */
  async transferTo(other: Call, { signal }: OperationOptions = {}): Promise<void> {
    await this.#ask('call.merge', { call: this.id, into: other.id }, signal)
  }

  /** Rings another device of one's own; the call goes on here until that one has its media. */
  async move(device: string, { signal }: OperationOptions = {}): Promise<void> {
    // The server checks the id.
    await this.#ask('call.move', { call: this.id, device: device as DeviceId }, signal)
  }

  async setMicrophone(on: boolean, options: OperationOptions = {}): Promise<void> {
    this.#assertMaySend('microphone', on)
    await this.#session.local.setMicrophone(on, options)
  }

  /** Off closes the camera, so that its light goes out. */
  async setCamera(on: boolean, options: OperationOptions = {}): Promise<void> {
    this.#assertMaySend('camera', on)
    await this.#session.local.setCamera(on, options)
  }

  /** Asks for a screen, window or tab and shares it, with its sound where there is any. */
  async shareScreen(options: OperationOptions = {}): Promise<void> {
    this.#assertMaySend('screen')
    await this.#session.local.shareScreen(options)
  }

  async stopScreen(): Promise<void> {
    await this.#session.local.stopScreen()
  }

  /**
   * Sends text or bytes to the others, who hear `message`; nothing is stored. With encryption on it is
   * sealed for those who are in the call, also what is `to` one of them; it rejects with
   * `encryption-pending` while somebody there is not trusted. Without, the server could read it.
   */
  async send(data: CallData, options: SendOptions = {}): Promise<void> {
    this.#session.assertOpen()
    await this.#session.talk.send(data, options)
  }

  /** Shows the others a reaction, as 👏; they hear `reaction`. */
  async react(reaction: string, options: OperationOptions = {}): Promise<void> {
    this.#session.assertOpen()
    await this.#session.talk.react(reaction, options)
  }

  /** Asks to speak. */
  async raiseHand(options: OperationOptions = {}): Promise<void> {
    this.#session.assertOpen()
    await this.#session.talk.hand(true, options)
  }

  async lowerHand(options: OperationOptions = {}): Promise<void> {
    this.#session.assertOpen()
    await this.#session.talk.hand(false, options)
  }

  /** Plays what the browser has blocked; call it from a click or key. */
  resumePlayback(): Promise<void> {
    return this.#session.playback.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangup()
  }

  #assertMaySend(source: TrackSource, on = true): void {
    this.#session.assertOpen()
    if (on && this.silenced.includes(source)) throw new CallError('silenced')
  }

  async #ask<T extends ClientRequestType>(
    type: T,
    data: ClientRequestData<T>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.#session.assertOpen()
    await this.#session.request(type, data, { signal })
  }

  async #accept({ audio = false, video = false, others, signal }: AcceptOptions): Promise<void> {
    const session = this.#session
    const media = { audio, video }
    await session.privacy.assertPossible()
    if (session.local.tracks.length === 0) await session.local.start(media, { signal })
    const { id: call } = this
    const encrypted = session.privacy.wanted
    const data = { call, media, encrypted, ...(others && { others }) }
    const answer = session.request('call.accept', data)
    try {
      const joined = await abortable(answer, signal)
      session.join(joined.call, joined.participant)
    } catch (error) {
      // Nobody waits for the seat any more, should the server still give one.
      answer.then(() => session.request('call.hangup', { call })).catch(() => undefined)
      // The devices are not left open for a call that is not answered.
      session.local.closeAll()
      throw error
    }
  }
}
