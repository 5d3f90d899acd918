import type { DeviceAddress, Millis } from '@parley/protocol'
import { Deadlines } from './deadlines.ts'
import type { NodeId } from './lease-book.ts'

/** A device that was lost with its node, or with its session. */
export interface Absence {
  readonly at: DeviceAddress
  readonly of: NodeId
}

/** Devices that are given time to come back for their seats. */
export class Absences {
  readonly #deadlines = new Deadlines<string>()
  readonly #absent = new Map<string, Absence>()

  begin(absence: Absence, until: Millis): void {
    const key = keyOf(absence.at)
    this.#absent.set(key, absence)
    this.#deadlines.set(key, until)
  }

  end(at: DeviceAddress): void {
    this.#absent.delete(keyOf(at))
    this.#deadlines.set(keyOf(at), undefined)
  }

  /** Takes out those whose time is over. */
  takeDue(now: Millis): readonly Absence[] {
    return this.#deadlines.takeDue(now).flatMap((key) => {
      const absence = this.#absent.get(key)
      this.#absent.delete(key)
      return absence ? [absence] : []
    })
  }
}

function keyOf({ user, device }: DeviceAddress): string {
  return JSON.stringify([user, device])
}
