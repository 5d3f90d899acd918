import type { Call, CallId, ParticipantId } from '@parley/protocol'
import { left, newDelivery } from './core/delivery.ts'
import type { Delivery } from './core/delivery.ts'

/** What the delivery service keeps, by call; gone with the call. */
export class Deliveries {
  readonly #byCall = new Map<CallId, Delivery>()

  of(call: CallId): Delivery {
    return this.#byCall.get(call) ?? newDelivery
  }

  set(call: CallId, state: Delivery): void {
    this.#byCall.set(call, state)
  }

  /** The call goes on elsewhere: what is kept here would be out of date when it came back. */
  drop(call: CallId): void {
    this.#byCall.delete(call)
  }

  /** Somebody is gone from `call`, as it stands without him. */
  left({ id, participants }: Call, gone: ParticipantId): void {
    const state = this.#byCall.get(id)
    if (participants.length === 0) this.#byCall.delete(id)
    else if (state) this.#byCall.set(id, left(state, gone))
  }
}
