import type { Clock } from '../ports.ts'
import type { GroupMember } from './group-key-agreement.ts'

/** How soon it is looked whether somebody who is held back is vouched for by now. */
const LOOK_AGAIN_MS = 3_000

/** Looks again at members who are held back: their other devices may vouch for them at any time. */
export class HeldMembers {
  readonly #clock: Clock
  /** Looks at them once more. */
  readonly #look: (held: readonly GroupMember[]) => Promise<void>
  #cancel: (() => void) | undefined

  constructor(clock: Clock, look: (held: readonly GroupMember[]) => Promise<void>) {
    this.#clock = clock
    this.#look = look
  }

  /** These are held back now. */
  see(held: readonly GroupMember[]): void {
    if (held.length === 0 || this.#cancel) return
    this.#cancel = this.#clock.after(LOOK_AGAIN_MS, () => {
      this.#cancel = undefined
      void this.#look(held)
    })
  }

  close(): void {
    this.#cancel?.()
  }
}
