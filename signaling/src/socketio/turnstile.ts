/** How long work may go on before everything else has its turn. Longer takes crowds in a little faster. */
const SLICE_MS = 5

/** Pieces of work that one round begins at most. */
const ROUND = 64

/** Work that waits at most. More is turned away; each is a connection that is being opened. */
const MOST_WAITING = 10_000

/** What the turnstile needs of the process around it. */
export interface TurnstilePorts {
  /** A clock that only goes forward, in milliseconds. */
  readonly now: () => number
  /**
   * Runs something when the event loop has looked after everything else, and what follows from it
   * (ticks and promises) before the next one.
   */
  readonly later: (run: () => void) => void
}

/**
 * Does pieces of work one after the other, in slices: between two of them whatever else has happened is
 * looked after. A thousand connections that come in the same moment are opened soon, but nobody who is
 * in a call waits until all of them are.
 */
export class Turnstile {
  readonly #ports: TurnstilePorts
  #waiting: (() => void)[] = []
  /** Of `#waiting`, how many have been done. */
  #done = 0
  /** Steps of this round that are still to come, and when its slice is over. */
  #steps = 0
  #until = 0

  constructor(ports: TurnstilePorts) {
    this.#ports = ports
  }

  /** `false`: too many wait already, and this is not going to be done. */
  enter(work: () => void): boolean {
    if (this.#left >= MOST_WAITING) return false
    this.#waiting.push(work)
    if (this.#steps === 0) this.#beginRound()
    return true
  }

  get #left(): number {
    return this.#waiting.length - this.#done
  }

  #beginRound(): void {
    this.#steps = Math.min(this.#left, ROUND)
    this.#until = Number.POSITIVE_INFINITY
    // One step each, so that what a piece of work leads to counts for its slice.
    for (let step = 0; step < this.#steps; step++) this.#ports.later(() => this.#step())
  }

  #step(): void {
    const now = this.#ports.now()
    if (this.#until === Number.POSITIVE_INFINITY) this.#until = now + SLICE_MS
    this.#steps--
    if (now < this.#until) this.#waiting[this.#done++]?.()
    if (this.#left === 0) {
      this.#waiting = []
      this.#done = 0
    } else if (this.#steps === 0) this.#beginRound()
  }
}
