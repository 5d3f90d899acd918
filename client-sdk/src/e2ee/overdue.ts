import type { Millis } from '@parley/protocol'
import type { Clock } from '../ports.ts'

/** What stands out is told of when it has for so long. */
export interface OverduePorts {
  readonly clock: Clock
  readonly patienceMs: Millis
  readonly tell: (names: readonly string[]) => void
  /** Whether this device hears the others: what it cannot hear is not overdue. */
  readonly hears: () => boolean
}

/**
 * How often it is looked. A page that was frozen, or a machine that slept, is taken to have listened
 * for so long at most: what came meanwhile is read only after the timers that are due.
 */
const LOOK_EVERY_MS: Millis = 5_000

/**
 * Has patience with what should pass by itself, each thing for as long as any other, and tells of
 * each that does not, once. Only time in which this device could have heard of it counts; where the
 * connection was lost, patience begins anew.
 */
export class Overdue {
  readonly #ports: OverduePorts
  /** Since when each stands out, in time that has counted; those that were told of, since never. */
  readonly #since = new Map<string, Millis>()
  #counted: Millis = 0
  #lookedAt: Millis = 0
  /** The wait for the next look; 0 while nothing stands out. */
  #waitMs: Millis = 0
  #cancel: () => void = () => undefined

  constructor(ports: OverduePorts) {
    this.#ports = ports
  }

  /** All that stands out now. */
  see(names: readonly string[]): void {
    this.#count()
    for (const name of this.#since.keys()) if (!names.includes(name)) this.#since.delete(name)
    for (const name of names) if (!this.#since.has(name)) this.#since.set(name, this.#counted)
    this.#wait()
  }

  close(): void {
    this.#since.clear()
    this.#cancel()
  }

  #count(): void {
    const { clock, hears } = this.#ports
    const now = clock.now()
    this.#counted += Math.max(0, Math.min(now - this.#lookedAt, this.#waitMs))
    this.#lookedAt = now
    if (hears()) return
    for (const name of this.#pending()) this.#since.set(name, this.#counted)
  }

  #wait(): void {
    const { clock, patienceMs } = this.#ports
    this.#cancel()
    const first = Math.min(...this.#since.values())
    this.#waitMs = 0
    if (!Number.isFinite(first)) return
    this.#waitMs = Math.min(Math.max(0, first + patienceMs - this.#counted), LOOK_EVERY_MS)
    this.#cancel = clock.after(this.#waitMs, () => this.#look())
  }

  #look(): void {
    const { patienceMs, tell } = this.#ports
    this.#count()
    const isDue = (name: string) => (this.#since.get(name) ?? 0) + patienceMs <= this.#counted
    const due = this.#pending().filter(isDue)
    for (const name of due) this.#since.set(name, Number.POSITIVE_INFINITY)
    this.#wait()
    if (due.length > 0) tell(due)
  }

  /** Those that were not told of. */
  #pending(): readonly string[] {
    return [...this.#since].flatMap(([name, since]) => (Number.isFinite(since) ? [name] : []))
  }
}
