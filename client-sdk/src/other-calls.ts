import type { CallId, CallView, DeviceId, ParticipantId, RoomName, UserId } from '@parley/protocol'
import type { Call, MediaOptions } from './call.ts'
import { Emitter } from './emitter.ts'

/** A call that another device of the same user is in. */
export interface OtherCall {
  readonly id: CallId
  readonly room: RoomName | undefined
  /** The device of one's own that is in it. */
  readonly device: DeviceId
  /** The other people in it. */
  readonly users: readonly UserId[]
  /** Moves the call here. The other device goes on until this one has its media. */
  takeOver(options?: MediaOptions): Promise<Call>
  /** Comes in beside the other device. */
  join(options?: MediaOptions): Promise<Call>
}

/** Comes into a call in progress; `replaces` is the seat to take over. */
export type JoinCall = (
  id: CallId,
  options: MediaOptions,
  replaces?: ParticipantId,
) => Promise<Call>

/** The calls of a user's other devices, as the server tells of them. */
export class OtherCalls extends Emitter<{ changed: [] }> {
  readonly #join: JoinCall
  readonly #views = new Map<CallId, CallView>()
  #own: { readonly user: UserId; readonly device: DeviceId } | undefined

  constructor(join: JoinCall) {
    super()
    this.#join = join
  }

  get list(): readonly OtherCall[] {
    return [...this.#views.values()].flatMap((view) => this.#callOf(view) ?? [])
  }

  /** Begins anew as this device; the server tells again what there is. */
  restart(own: { readonly user: UserId; readonly device: DeviceId }): void {
    this.#own = own
    if (this.#views.size === 0) return
    this.#views.clear()
    this.emit('changed')
  }

  see(view: CallView): void {
    if (this.#callOf(view)) this.#views.set(view.id, view)
    else if (!this.#views.delete(view.id)) return
    this.emit('changed')
  }

  /** This device is in the call itself, or will not be told of it any more. */
  forget(id: CallId): void {
    if (this.#views.delete(id)) this.emit('changed')
  }

  #callOf({ id, room, participants }: CallView): OtherCall | undefined {
    const own = this.#own
    const seat = participants.find((p) => p.user === own?.user)
    if (!seat || participants.some((p) => p.user === own?.user && p.device === own.device)) {
      return undefined
    }
    return {
      id,
      room,
      device: seat.device,
      users: [...new Set(participants.map(({ user }) => user))].filter((u) => u !== own?.user),
      takeOver: (options = {}) => this.#join(id, options, seat.id),
      join: (options = {}) => this.#join(id, options),
    }
  }
}
