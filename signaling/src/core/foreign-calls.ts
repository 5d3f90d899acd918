import type { CallId, CallView, DeviceAddress, ServerEvent, UserId } from '@parley/protocol'
import type { NodeId } from './lease-book.ts'

/** A call that another node holds, as a device here sees it. */
export interface ForeignCall {
  readonly owner: NodeId
  readonly view: CallView
}

/** The calls of other nodes that devices of this one are in or rung by, from what passes through. */
export class ForeignCalls {
  readonly #byDevice = new Map<string, Map<CallId, ForeignCall>>()

  /** Takes in an event of the owner on its way to a device. Whether anything is different now. */
  note(at: DeviceAddress, owner: NodeId, event: ServerEvent): boolean {
    switch (event.type) {
      case 'call.admitted':
      case 'call.incoming':
      case 'call.updated':
      case 'call.transferred':
        this.put(at, owner, event.data.call)
        return true
      case 'call.ended':
        return this.remove(at, event.data.call)
      default:
        return false
    }
  }

  put(at: DeviceAddress, owner: NodeId, view: CallView): void {
    const key = keyOf(at)
    const calls = this.#byDevice.get(key) ?? new Map<CallId, ForeignCall>()
    this.#byDevice.set(key, calls.set(view.id, { owner, view }))
  }

  remove(at: DeviceAddress, call: CallId): boolean {
    const calls = this.#byDevice.get(keyOf(at))
    const known = calls?.delete(call) === true
    if (calls?.size === 0) this.#byDevice.delete(keyOf(at))
    return known
  }

  /** The device has its session here no longer. */
  forget(at: DeviceAddress): void {
    this.#byDevice.delete(keyOf(at))
  }

  find(at: DeviceAddress, call: CallId): ForeignCall | undefined {
    return this.#byDevice.get(keyOf(at))?.get(call)
  }

  of(at: DeviceAddress): readonly ForeignCall[] {
    return [...(this.#byDevice.get(keyOf(at))?.values() ?? [])]
  }

  /** The calls in which the device has a seat. */
  seatsOf(at: DeviceAddress): readonly ForeignCall[] {
    return this.of(at).filter(({ view }) => isSeated(view, at))
  }

  /** A call of these two alone, as the device sees it. */
  between(at: DeviceAddress, user: UserId): ForeignCall | undefined {
    return this.of(at).find(({ view }) => {
      const people = [...view.participants, ...view.invites].map((one) => one.user)
      return (
        view.room === undefined &&
        people.includes(user) &&
        people.every((one) => one === user || one === at.user)
      )
    })
  }

  /** Forgets all calls of an owner that is gone. Gives the devices that saw any. */
  dropOwner(owner: NodeId): readonly DeviceAddress[] {
    const devices: DeviceAddress[] = []
    for (const [key, calls] of [...this.#byDevice]) {
      const lost = [...calls].filter(([, call]) => call.owner === owner)
      if (lost.length === 0) continue
      for (const [id] of lost) calls.delete(id)
      if (calls.size === 0) this.#byDevice.delete(key)
      devices.push(addressOf(key))
    }
    return devices
  }
}

function isSeated({ participants }: CallView, { user, device }: DeviceAddress): boolean {
  return participants.some((one) => one.user === user && one.device === device)
}

function keyOf({ user, device }: DeviceAddress): string {
  return JSON.stringify([user, device])
}

/** The inverse of `keyOf`. */
function addressOf(key: string): DeviceAddress {
  const [user, device] = JSON.parse(key) as [DeviceAddress['user'], DeviceAddress['device']]
  return { user, device }
}
