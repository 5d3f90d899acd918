/** How long a node may be out of reach before its rooms go elsewhere: media flows without the link. */
const PATIENCE_MS = 5_000

/** Told about a node, by its id. */
interface AwayNodesListener {
  /** It is still out of reach; told again and again. */
  readonly stillAway: (id: string) => void
  /** It was out of reach, and is there again. */
  readonly back: (id: string) => void
}

/** Watches which SFU nodes are out of reach. */
export class AwayNodes {
  readonly #listener: AwayNodesListener
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(listener: AwayNodesListener) {
    this.#listener = listener
  }

  /** What is known of a node now. */
  see(id: string, isAway: boolean): void {
    const timer = this.#timers.get(id)
    if (isAway && timer === undefined) {
      const tell = () => this.#listener.stillAway(id)
      this.#timers.set(id, setInterval(tell, PATIENCE_MS))
    }
    if (isAway || timer === undefined) return
    clearInterval(timer)
    this.#timers.delete(id)
    this.#listener.back(id)
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearInterval(timer)
    this.#timers.clear()
  }
}
