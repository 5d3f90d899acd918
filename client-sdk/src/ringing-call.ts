import type { CallView, UserId } from '@parley/protocol'
import type { CallSession } from './call-session.ts'
import type { OperationOptions } from './call.ts'
import { ModeratedCall } from './moderated-call.ts'

/** What goes with a ring. */
export interface InviteOptions extends OperationOptions {
  /**
   * A few words that go with the ring and with the call if it is missed, 400 bytes at most. With encryption
   * on they are sealed for the devices that the others have now, and what rings rejects with
   * `payload-unsealable` where somebody has none.
   */
  readonly payload?: string
}

/** Who is rung for a call, and what is said with it. */
export class RingingCall extends ModeratedCall {
  readonly #session: CallSession

  constructor(session: CallSession) {
    super(session)
    this.#session = session
  }

  /** Who was asked to join, and what became of it. */
  get invites(): CallView['invites'] {
    return this.#session.facts.view?.invites ?? []
  }

  /**
   * What was said with the ring. Undefined where that was nothing, where this device has no key for it,
   * and where who has sealed it is not trusted as the caller.
   */
  async payload(): Promise<string | undefined> {
    const { id, origin, payloads } = this.#session
    const { direction, payload, from } = origin
    if (direction !== 'incoming' || payload === undefined || from === undefined) return payload
    return payloads.read(payload, { call: id, from })
  }

  /** Rings more people. */
  async invite(
    user: string | readonly string[],
    { payload: text, signal }: InviteOptions = {},
  ): Promise<void> {
    const session = this.#session
    session.assertOpen()
    // The server checks the names.
    const users = (typeof user === 'string' ? [user] : [...user]) as UserId[]
    const { id: call, origin, payloads } = session
    const ring = { call, users, media: origin.media }
    const payload = text === undefined ? {} : { payload: await payloads.write(text, call, users) }
    session.assertOpen()
    await session.request('call.invite', { ...ring, ...payload }, { signal })
  }

  /** Rings somebody no longer. */
  async uninvite(user: string, { signal }: OperationOptions = {}): Promise<void> {
    this.#session.assertOpen()
    const { id: call } = this.#session
    // The server checks the name.
    await this.#session.request('call.uninvite', { call, user: user as UserId }, { signal })
  }
}
