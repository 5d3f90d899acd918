import type { Millis } from '@parley/protocol'
import type { Clock } from '../ports.ts'

/** What stands out is told of when it has for so long. */
export interface OverduePorts {
  readonly clock: Clock
  readonly patienceMs: Millis
  readonly tell: (names: readonly string[]) => void
}

/**
 * Has patience with what should pass by itself, each thing for as long as any other, and tells of
 * each that does not, once.
 */
export class Overdue {
  readonly #ports: OverduePorts
  /** Since when each stands out; those that were told of, since never. */
  readonly #since = new Map<string, Millis>()
  #cancel: () => void = () => undefined

  constructor(ports: OverduePorts) {
    this.#ports = ports
  }

  /** All that stands out now. */
  see(names: readonly string[]): void {
    for (const name of this.#since.keys()) if (!names.includes(name)) this.#since.delete(name)
    const now = this.#ports.clock.now()
    for (const name of names) if (!this.#since.has(name)) this.#since.set(name, now)
    this.#wait()
  }

  close(): void {
    this.#since.clear()
    this.#cancel()
  }

  #wait(): void {
    const { clock, patienceMs } = this.#ports
    this.#cancel()
    const first = Math.min(...this.#since.values())
    if (!Number.isFinite(first)) return
    const delayMs = Math.max(0, first + patienceMs - clock.now())
    this.#cancel = clock.after(delayMs, () => this.#look())
  }

  #look(): void {
    const { clock, patienceMs, tell } = this.#ports
    const now = clock.now()
    const due = [...this.#since].filter(([, since]) => since + patienceMs <= now)
    for (const [name] of due) this.#since.set(name, Number.POSITIVE_INFINITY)
    this.#wait()
    if (due.length > 0) tell(due.map(([name]) => name))
  }
}
