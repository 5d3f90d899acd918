import type { NodeEvent } from '@parley/protocol'

/** Lost rooms remembered for controllers that are away. */
const LOST_REMEMBERED = 1_000

type Listener = (event: NodeEvent) => void

/** The signaling processes that give orders, and what they have to hear. */
export class Controllers {
  readonly #present = new Map<string, Set<Listener>>()
  /** Events that a controller missed, oldest first. */
  #missed: { readonly controller: string; readonly event: NodeEvent }[] = []

  /** `controller` listens from now on, and hears what it missed. Gives back the end of it. */
  attach(controller: string, listener: Listener): () => void {
    const listeners = this.#present.get(controller) ?? new Set()
    this.#present.set(controller, listeners.add(listener))
    const missed = this.#missed.filter((one) => one.controller === controller)
    this.#missed = this.#missed.filter((one) => one.controller !== controller)
    for (const { event } of missed) listener(event)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#present.get(controller) === listeners) {
        this.#present.delete(controller)
      }
    }
  }

  isHere(controller: string): boolean {
    return this.#present.has(controller)
  }

  /** Tells all: a room may have a new controller that this node has not heard of yet. */
  tell(event: NodeEvent): void {
    for (const listeners of this.#present.values()) {
      for (const listener of listeners) listener(event)
    }
  }

  /** Tells all, and `controller` later if it is away. */
  tellSurely(event: NodeEvent, controller: string): void {
    this.tell(event)
    if (this.isHere(controller)) return
    this.#missed = [...this.#missed, { controller, event }].slice(-LOST_REMEMBERED)
  }
}
