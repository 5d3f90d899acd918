import type { CallId, CallMedia, ClientRequestResult, ClientRequestType } from '@parley/protocol'
import { OWNER_ATTEMPTS, OWNER_RETRY_MS, SEAT_ATTEMPTS, SEAT_RETRY_MS } from './defaults.ts'
import { CallError } from './errors.ts'
import type { Clock } from './ports.ts'
import type { Request } from './signaling.ts'

/** Doing these twice is as good as once, so that they may be sent again in a new session. */
const repeatable: ReadonlySet<ClientRequestType> = new Set<ClientRequestType>([
  'call.escalate',
  'call.invite',
  'call.ready',
  'call.sending',
  'call.mute',
  'call.unmute',
  'call.lock',
  'call.unlock',
  'call.lobby',
  'call.promote',
  'call.demote',
  'sfu.capabilities',
  'sfu.connect',
  'sfu.consume',
  'sfu.open',
  'sfu.pause',
  'sfu.produce',
  'sfu.restart-ice',
  'sfu.resume',
  'sfu.unproduce',
  'sfu.view',
])

/** A seat as the server gives it. */
export type Joined = ClientRequestResult<'call.resume'>

/**
 * A device's hold on its seat: keeps the newest ticket, takes the seat again in a new session, and
 * has requests of the call wait for that.
 */
export class SeatHold {
  readonly #ask: Request
  readonly #clock: Clock
  #ticket: string | undefined
  #taking: Promise<Joined> | undefined

  constructor(ask: Request, clock: Clock) {
    this.#ask = ask
    this.#clock = clock
  }

  /** The newest ticket, once there is one. */
  get ticket(): string | undefined {
    return this.#ticket
  }

  /** The seat is being taken again. */
  get busy(): boolean {
    return this.#taking !== undefined
  }

  keep(ticket: string): void {
    this.#ticket = ticket
  }

  /** Takes the seat again; with `fresh`, one with a new id. Rejects where the call is over. */
  take(fresh?: CallMedia): Promise<Joined> {
    this.#taking ??= this.#take(fresh).finally(() => (this.#taking = undefined))
    return this.#taking
  }

  /**
   * As the client's, but a request that was lost with the session is made again in the next one, and
   * one that the holder of the call could not be reached with, until he or his heir can.
   */
  readonly request: Request = async (type, data, options) => {
    let retaken = false
    for (let attempt = 1; ; attempt++) {
      try {
        if (this.#taking) await this.#taking
        return await this.#ask(type, data, options)
      } catch (error) {
        if (!repeatable.has(type)) throw error
        if (isGone(error) && this.#ticket !== undefined && !retaken) {
          retaken = true
          await this.take()
        } else if (isOwnerless(error) && attempt < OWNER_ATTEMPTS) {
          await this.#pause(OWNER_RETRY_MS)
        } else throw error
      }
    }
  }

  /** Gives the seat up, also where the server has lost the call meanwhile. */
  async leave(call: CallId): Promise<void> {
    try {
      await this.#ask('call.hangup', { call })
    } catch (error) {
      if (!isGone(error)) throw error
      await this.take()
      await this.#ask('call.hangup', { call })
    }
  }

  async #take(fresh: CallMedia | undefined): Promise<Joined> {
    for (let attempt = 1; ; attempt++) {
      const ticket = this.#ticket
      if (ticket === undefined) throw new CallError('session-gone')
      try {
        return await this.#ask('call.resume', { ticket, ...(fresh && { fresh }) })
      } catch (error) {
        const mayHelp = error instanceof CallError && error.retryable
        if (!mayHelp || attempt >= SEAT_ATTEMPTS) throw error
        await this.#pause(SEAT_RETRY_MS)
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise<void>((resolve) => void this.#clock.after(ms, resolve))
  }
}

/** The server that holds the call is not reached from the one that was asked. */
function isOwnerless(error: unknown): boolean {
  return error instanceof CallError && error.code === 'store-unavailable'
}

function isGone(error: unknown): boolean {
  return error instanceof CallError && error.code === 'session-gone'
}
