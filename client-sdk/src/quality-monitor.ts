import { scoreQuality, unknownQuality } from './core/quality.ts'
import type { Quality } from './core/quality.ts'
import { readStats } from './core/stats.ts'
import type { MediaSample } from './core/stats.ts'
import { QUALITY_INTERVAL_MS } from './defaults.ts'
import { Emitter } from './emitter.ts'
import type { Clock } from './ports.ts'

interface MonitorEvents {
  quality: [quality: Quality]
  sample: [sample: MediaSample]
}

/** Samples the path in use at a steady pace and scores it. */
export class QualityMonitor extends Emitter<MonitorEvents> {
  readonly #clock: Clock
  readonly #reports: () => Promise<readonly RTCStatsReport[]>
  readonly #expectsMedia: () => boolean
  #before: MediaSample | undefined
  #quality = unknownQuality
  #cancel: () => void = () => undefined
  #stopped = false

  constructor(
    clock: Clock,
    reports: () => Promise<readonly RTCStatsReport[]>,
    expectsMedia: () => boolean,
  ) {
    super()
    this.#clock = clock
    this.#reports = reports
    this.#expectsMedia = expectsMedia
    this.#plan()
  }

  get quality(): Quality {
    return this.#quality
  }

  /** What the browser counts now. */
  async sample(): Promise<MediaSample> {
    const reports = await this.#reports().catch(() => [])
    return readStats(
      reports.map((report) => report.values()),
      this.#clock.now(),
    )
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #plan(): void {
    this.#cancel = this.#clock.after(QUALITY_INTERVAL_MS, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    const sample = await this.sample()
    if (this.#stopped) return
    const before = this.#quality
    if (this.#before) {
      this.#quality = scoreQuality(before, this.#before, sample, this.#expectsMedia())
    }
    this.#before = sample
    this.emit('sample', sample)
    const changed =
      before.level !== this.#quality.level || before.reasons.join() !== this.#quality.reasons.join()
    if (changed) this.emit('quality', this.#quality)
    this.#plan()
  }
}
