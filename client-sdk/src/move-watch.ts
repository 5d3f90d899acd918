import type { StreamKey } from './core/media-plan.ts'
import { WARM_POLL_MS } from './defaults.ts'
import type { Clock } from './ports.ts'

/** What a move is watched by. */
export interface MoveWatchPorts {
  readonly clock: Clock
  /** What the others send, and so should be had here. */
  readonly wanted: () => readonly StreamKey[]
  readonly decoded: () => Promise<ReadonlySet<StreamKey>>
  /** All of it is here. */
  readonly settled: () => void
}

/** Waits until the device that a call moves to has what the one that it leaves had. */
export class MoveWatch {
  readonly #ports: MoveWatchPorts
  #stopped = false
  #cancel: () => void = () => undefined

  constructor(ports: MoveWatchPorts) {
    this.#ports = ports
    this.#plan()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #plan(): void {
    this.#cancel = this.#ports.clock.after(WARM_POLL_MS, () => void this.#look())
  }

  async #look(): Promise<void> {
    const decoded = await this.#ports.decoded().catch(() => new Set<StreamKey>())
    if (this.#stopped) return
    if (this.#ports.wanted().every((key) => decoded.has(key))) this.#ports.settled()
    else this.#plan()
  }
}
