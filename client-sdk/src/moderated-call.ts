import type { ParticipantId, TrackSource, UserId, WaitingView } from '@parley/protocol'
import type { CallSession } from './call-session.ts'
import type { OperationOptions } from './call.ts'
import type { Participant } from './roster.ts'

/** Somebody who waits to be let into a call. */
export type Waiting = WaitingView

/** What to switch off; the microphone where left out. */
export interface MuteOptions extends OperationOptions {
  readonly sources?: readonly TrackSource[]
  /**
   * Against his will, until `unmute()`: an SFU node carries it no longer, and the others' SDKs do not
   * play it. Without it he is asked, by his `mute-requested` event.
   */
  readonly force?: boolean
}

type Who = ParticipantId | Pick<Participant, 'id'>

/** Who comes into a call, who goes and who is heard: what its moderators decide, and see. */
export class ModeratedCall {
  readonly #session: CallSession

  constructor(session: CallSession) {
    this.#session = session
  }

  /** This device's user moderates the call. */
  get moderator(): boolean {
    return this.#self?.moderator ?? false
  }

  /** Nobody new comes in. */
  get locked(): boolean {
    return this.#session.facts.view?.locked ?? false
  }

  /** Newcomers wait until a moderator lets them in. */
  get hasLobby(): boolean {
    return this.#session.facts.view?.lobby ?? false
  }

  /** Who waits to be let in; moderators only see it. */
  get lobby(): readonly Waiting[] {
    return this.#session.facts.view?.waiting ?? []
  }

  /** What of one's own a moderator has switched off; `unmute()` by a moderator gives it back. */
  get silenced(): readonly TrackSource[] {
    return this.#self?.silenced ?? []
  }

  /** Has somebody's microphone, or what `sources` names, switched off. */
  async mute(who: Who, options: MuteOptions = {}): Promise<void> {
    const { sources = ['microphone'], force = false, signal } = options
    const data = { ...this.#about(who), sources: [...sources], force }
    await this.#session.request('call.mute', data, { signal })
  }

  /** Lets somebody send again what was switched off; he switches it on himself. */
  async unmute(who: Who, options: Omit<MuteOptions, 'force'> = {}): Promise<void> {
    const { sources = ['microphone'], signal } = options
    const data = { ...this.#about(who), sources: [...sources] }
    await this.#session.request('call.unmute', data, { signal })
  }

  /** Ends the call for somebody, on all his devices; he comes back only if he is let in. */
  async remove(who: Who, { signal }: OperationOptions = {}): Promise<void> {
    await this.#session.request('call.remove', this.#about(who), { signal })
  }

  /** Lets nobody new in. */
  async lock({ signal }: OperationOptions = {}): Promise<void> {
    await this.#session.request('call.lock', this.#call(), { signal })
  }

  async unlock({ signal }: OperationOptions = {}): Promise<void> {
    await this.#session.request('call.unlock', this.#call(), { signal })
  }

  /** Has newcomers wait; off lets in who waits. */
  async setLobby(on: boolean, { signal }: OperationOptions = {}): Promise<void> {
    await this.#session.request('call.lobby', { ...this.#call(), on }, { signal })
  }

  /** Lets in a user who waits. */
  async admit(user: string, { signal }: OperationOptions = {}): Promise<void> {
    // The server checks the name.
    await this.#session.request('call.admit', { ...this.#call(), user: user as UserId }, { signal })
  }

  /** Sends away a user who waits: his call ends as `denied`. */
  async deny(user: string, { signal }: OperationOptions = {}): Promise<void> {
    // The server checks the name.
    await this.#session.request('call.deny', { ...this.#call(), user: user as UserId }, { signal })
  }

  /** Makes somebody a moderator of this call. */
  async promote(who: Who, { signal }: OperationOptions = {}): Promise<void> {
    await this.#session.request('call.promote', this.#about(who), { signal })
  }

  async demote(who: Who, { signal }: OperationOptions = {}): Promise<void> {
    await this.#session.request('call.demote', this.#about(who), { signal })
  }

  get #self() {
    const { view, self } = this.#session.facts
    return view?.participants.find(({ id }) => id === self)
  }

  #call() {
    this.#session.assertOpen()
    return { call: this.#session.id }
  }

  #about(who: Who) {
    return { ...this.#call(), participant: typeof who === 'string' ? who : who.id }
  }
}
