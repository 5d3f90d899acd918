import type { DeviceAddress, Millis, UserId } from '@parley/protocol'
import { participantAt } from '@parley/protocol'
import type { Calls } from './calls.ts'
import type { DeviceChange } from './core/neighbours.ts'
import type { Seats } from './seats.ts'

/** What arrivals need of their surroundings. */
export interface ArrivalPorts {
  readonly calls: Calls
  readonly seats: Seats
  readonly now: () => Millis
  readonly ringTimeoutMs: number
  /** Looks again at whether a user is there. */
  readonly refresh: (user: UserId) => void
}

/** What it means for the calls here that a device comes or goes, at this node or at another one. */
export class Arrivals {
  readonly #ports: ArrivalPorts

  constructor(ports: ArrivalPorts) {
    this.#ports = ports
  }

  /** Another node has told of one of its devices. */
  heard(at: DeviceAddress, change: DeviceChange): void {
    this[change === 'connected' ? 'came' : change](at)
  }

  /** Whoever has just come may be rung already, on other devices or by having been woken. */
  came(at: DeviceAddress): void {
    this.#mark(at, true, false)
    const { calls, now, ringTimeoutMs } = this.#ports
    for (const call of calls.awaiting(at.user)) {
      calls.apply(call, { type: 'deviceCame', at, deadline: now() + ringTimeoutMs })
    }
    this.#ports.refresh(at.user)
  }

  /** The device's socket is away, and its seats stay; `leaving`: its page goes away. */
  away(at: DeviceAddress, leaving = false): void {
    this.#mark(at, false, leaving)
    this.#ports.refresh(at.user)
  }

  leaving(at: DeviceAddress): void {
    this.away(at, true)
  }

  hungUp(at: DeviceAddress): void {
    this.gone(at, 'hangup')
  }

  /** A device is where it was, and does something else there. */
  altered(at: DeviceAddress): void {
    this.#ports.refresh(at.user)
  }

  /** A device is gone for good. */
  gone(at: DeviceAddress, reason: 'hangup' | 'failed' = 'failed'): void {
    const { calls, seats } = this.#ports
    for (const call of calls.seenBy(at)) {
      const seat = participantAt(call, at)
      if (seat) {
        seats.lost(call.id, seat.id)
        calls.apply(call.id, { type: 'left', participant: seat.id, reason })
      } else calls.apply(call.id, { type: 'deviceGone', at })
    }
    for (const { id } of calls.waitedFor(at)) calls.apply(id, { type: 'unknocked', at })
    this.#ports.refresh(at.user)
  }

  /** A device has not come for its seats. */
  unclaimed(at: DeviceAddress): void {
    const { calls } = this.#ports
    for (const call of calls.ofDevice(at)) {
      const seat = participantAt(call, at)
      if (!seat || seat.connected) continue
      calls.apply(call.id, { type: 'left', participant: seat.id, reason: 'failed' })
    }
    this.#ports.refresh(at.user)
  }

  #mark(at: DeviceAddress, connected: boolean, leaving: boolean): void {
    const { calls } = this.#ports
    for (const call of calls.ofDevice(at)) {
      const seat = participantAt(call, at)
      if (!seat || (seat.connected === connected && !leaving)) continue
      const participant = seat.id
      calls.apply(call.id, { type: 'connectionChanged', participant, connected, leaving })
    }
  }
}
