import type { Presence, UserId } from '@parley/protocol'
import type { OperationOptions } from './call.ts'
import { Emitter } from './emitter.ts'
import type { Request } from './signaling.ts'

/** What a device tells of its person. `invisible` hides him on all his devices. */
export type OwnPresence = 'online' | 'away' | 'invisible'

/** What came of watching people. */
export interface Watched {
  readonly users: readonly Presence[]
  /** Those of the list whom one may not watch. */
  readonly refused: readonly string[]
}

/** Who is there: what this device tells, and whom it watches, kept up over connections. */
export class PresenceWatch extends Emitter<{ changed: [] }> {
  readonly #request: Request
  #own: OwnPresence = 'online'
  /** `everybody` stands for all whom the token lets one watch. */
  #watched: readonly string[] | 'everybody' | 'nobody' = 'everybody'
  #users: ReadonlyMap<UserId, Presence> = new Map()
  /** Tells the answer to the newest list from those to earlier ones. */
  #turn = 0

  constructor(request: Request) {
    super()
    this.#request = request
  }

  get list(): readonly Presence[] {
    return [...this.#users.values()]
  }

  get own(): OwnPresence {
    return this.#own
  }

  /** There is a connection. `anew`: its session knows nothing of what was watched. */
  connected(anew: boolean): void {
    // The session may be at another process now, which has not heard it.
    if (this.#own !== 'online') this.#tellOwn({}).catch(() => undefined)
    if (!anew || this.#watched === 'nobody') return
    this.#users = new Map()
    // Without presence calls still work; the next connection asks again.
    this.#subscribe({}).catch(() => undefined)
  }

  async tell(own: OwnPresence, options: OperationOptions): Promise<void> {
    this.#own = own
    await this.#tellOwn(options)
  }

  async watch(users: readonly string[] | undefined, options: OperationOptions): Promise<Watched> {
    this.#watched = users ?? 'everybody'
    return this.#subscribe(options)
  }

  async unwatch(options: OperationOptions): Promise<void> {
    this.#watched = 'nobody'
    this.#turn += 1
    this.#users = new Map()
    this.emit('changed')
    await this.#request('presence.unsubscribe', {}, options)
  }

  take(users: readonly Presence[]): void {
    this.#users = new Map([...this.#users, ...users.map((one) => [one.user, one] as const)])
    this.emit('changed')
  }

  async #tellOwn(options: OperationOptions): Promise<void> {
    await this.#request('presence.set', { status: this.#own }, options)
  }

  async #subscribe(options: OperationOptions): Promise<Watched> {
    const turn = ++this.#turn
    const watched = this.#watched
    // The server checks the names.
    const data = typeof watched === 'string' ? {} : { users: [...watched] as UserId[] }
    const answer = await this.#request('presence.subscribe', data, options)
    if (turn === this.#turn) {
      this.#users = new Map()
      this.take(answer.users)
    }
    return answer
  }
}
