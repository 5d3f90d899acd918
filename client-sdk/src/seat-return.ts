import type { CallMedia, CallView } from '@parley/protocol'
import type { CallContext } from './call-context.ts'
import type { CallSession, Entered } from './call-session.ts'
import { RING_AGAIN_WAIT_MS, SEAT_ATTEMPTS, SEAT_RETRY_MS } from './defaults.ts'
import { CallError } from './errors.ts'
import { ringAgain, ringData } from './ring-again.ts'
import type { SeatHold } from './seat-hold.ts'

/** How a seat is taken again; `fresh`: anew, with this media. */
export interface Retaking {
  readonly fresh?: CallMedia
  /** The call as the server sees it; where it does not, the call may be over. */
  readonly known?: CallView
}

/** The way back into a call after its server, or the session at it, was lost. */
export class SeatReturn {
  readonly #session: CallSession
  readonly #context: CallContext
  readonly #hold: SeatHold
  #cancelRingWait: () => void = () => undefined

  constructor(session: CallSession, context: CallContext, hold: SeatHold) {
    this.#session = session
    this.#context = context
    this.#hold = hold
  }

  /**
   * Takes the seat again after events were missed, with what this device knows of the call: the server
   * may know less.
   */
  async retake({ fresh, known }: Retaking): Promise<void> {
    const session = this.#session
    if (session.facts.self === undefined) {
      if (known) session.resync(known)
      else this.#waitForRing()
      return
    }
    try {
      const { call, participant } = await this.#hold.take(fresh).catch(this.#ringAnew)
      if (participant === session.facts.self) session.resync(call)
      else session.transfer(call, participant)
    } catch {
      if (known) session.resync(known)
      else session.finish('failed')
    }
  }

  /** Asks again to be let in, where the server may have forgotten that this device waits. */
  async knock(ask: (() => Promise<Entered>) | undefined): Promise<void> {
    const session = this.#session
    for (let attempt = 1; session.state === 'waiting'; attempt++) {
      try {
        const answer = await ask?.()
        if (answer && 'call' in answer) session.join(answer.call, answer.participant)
        return
      } catch (error) {
        const code = error instanceof CallError ? error.code : 'internal'
        // The next session asks again.
        if (code === 'session-gone') return
        // After a crash of the server the call is back when somebody who is in it is.
        if (code !== 'call-not-found' || attempt >= SEAT_ATTEMPTS) {
          session.finish('failed')
          return
        }
        const { clock } = this.#context.environment
        await new Promise<void>((resolve) => void clock.after(SEAT_RETRY_MS, resolve))
      }
    }
  }

  /** The call was heard of: nothing is waited for any more. */
  stopWaiting(): void {
    this.#cancelRingWait()
  }

  /** The server has lost a call that nobody had answered yet. */
  readonly #ringAnew = async (error: unknown) => {
    const { facts, state, origin, id } = this.#session
    const { view } = facts
    const ringing = view?.invites.filter((invite) => invite.state === 'ringing') ?? []
    const isLost = error instanceof CallError && error.code === 'call-not-found'
    const mayRing = origin.direction === 'outgoing' && view?.answered === false
    if (!isLost || !mayRing || ringing.length === 0 || state === 'ended') throw error
    const { request, environment } = this.#context
    const users = ringing.map(({ user }) => user)
    const again = await ringData(this.#context, origin, { call: id, users })
    return ringAgain({ request, clock: environment.clock }, again)
  }

  /** The caller rings anew after a crash of the server; if he does not, the call is over. */
  #waitForRing(): void {
    this.#cancelRingWait()
    const { clock } = this.#context.environment
    this.#cancelRingWait = clock.after(RING_AGAIN_WAIT_MS, () => this.#session.finish('cancelled'))
  }
}
