import { randomBytes } from 'node:crypto'
import type { Millis } from '@parley/protocol'
import type { Environment } from './ports.ts'

/** `setTimeout` counts in 31 bits; a longer wait is taken in pieces. Milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The real clock, one real timer and the system's randomness. */
export class SystemEnvironment implements Environment {
  readonly #onWake: () => void
  #timer: NodeJS.Timeout | undefined
  #at: Millis | undefined

  constructor(onWake: () => void) {
    this.#onWake = onWake
  }

  now(): Millis {
    return Date.now()
  }

  wakeAt(at: Millis | undefined): void {
    if (at === this.#at) return
    clearTimeout(this.#timer)
    this.#at = at
    if (at === undefined) return
    const delay = Math.min(Math.max(0, at - this.now()), LONGEST_TIMER_MS)
    this.#timer = setTimeout(() => {
      this.#at = undefined
      this.#onWake()
    }, delay)
  }

  randomId(bytes: number): string {
    return randomBytes(bytes).toString('base64url')
  }
}
