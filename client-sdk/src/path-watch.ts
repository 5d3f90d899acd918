import type { CallPath } from './call-events.ts'
import type { PairSample } from './core/stats.ts'
import type { MediaPaths } from './paths.ts'
import type { Clock } from './ports.ts'
import type { QualityMonitor } from './quality-monitor.ts'

const READ_ATTEMPTS = 5
const READ_RETRY_MS = 100

/** Finds out which way the media of a call goes, and tells when that changes. */
export class PathWatch {
  readonly #clock: Clock
  readonly #monitor: QualityMonitor
  readonly #changed: (path: CallPath) => void
  #path: CallPath | undefined
  #paths: MediaPaths | undefined
  #reading = false

  constructor(clock: Clock, monitor: QualityMonitor, changed: (path: CallPath) => void) {
    this.#clock = clock
    this.#monitor = monitor
    this.#changed = changed
    monitor.on('sample', ({ pair }) => this.#onPair(pair))
  }

  get path(): CallPath | undefined {
    return this.#path
  }

  /**
   * Looks at paths that have changed. `false`: the answer is on its way, and `again` is called with
   * it: a call says that it is connected when it can also say how.
   */
  look(paths: MediaPaths, inCompany: boolean, again: () => void): boolean {
    this.#paths = paths
    if (paths.state !== 'connected') return true
    if (paths.kind === 'sfu') {
      if (inCompany) this.#set('sfu')
      return true
    }
    if (this.#path !== undefined && this.#path !== 'sfu') return true
    if (this.#path === 'sfu') {
      // Back from the node: the call stays connected meanwhile.
      if (!this.#reading) void this.#read()
      return true
    }
    if (!this.#reading) void this.#read().then(again)
    return false
  }

  async #read(): Promise<void> {
    this.#reading = true
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      const { pair } = await this.#monitor.sample()
      this.#onPair(pair)
      if (pair || this.#paths?.kind !== 'p2p') break
      await new Promise<void>((resolve) => void this.#clock.after(READ_RETRY_MS, resolve))
    }
    // A browser that does not tell gets the better guess.
    const isUnknown = this.#path === undefined || this.#path === 'sfu'
    if (isUnknown && this.#paths?.kind === 'p2p') this.#set('direct')
    this.#reading = false
  }

  #onPair(pair: PairSample | undefined): void {
    if (!pair || this.#paths?.kind !== 'p2p') return
    const relayed = pair.localType === 'relay' || pair.remoteType === 'relay'
    this.#set(relayed ? 'relay' : 'direct')
  }

  #set(path: CallPath): void {
    if (path === this.#path) return
    this.#path = path
    this.#changed(path)
  }
}
