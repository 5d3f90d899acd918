import type { types } from 'mediasoup-client'
import type { ProducerId, TrackSource } from '@parley/protocol'
import { nodeEncodings } from '../core/encodings.ts'
import { kindOf } from '../core/media-kind.ts'
import type { FrameHooks, LocalSource, LocalSources } from '../ports.ts'
import { serial } from '../serial.ts'

/** What publishing to a node needs. */
export interface SendersOptions {
  readonly transport: types.Transport
  readonly hooks: FrameHooks | undefined
  readonly pause: (producer: ProducerId, paused: boolean) => Promise<unknown>
  readonly unproduce: (producer: ProducerId) => Promise<unknown>
  readonly changed: () => void
}

/** Tells `sfu.produce` of what it is and how it begins. */
export interface ProducerTag extends Record<string, unknown> {
  readonly source: TrackSource
  readonly paused: boolean
}

interface Sender {
  readonly producer: types.Producer<ProducerTag>
  /** What the node was told last. */
  paused: boolean
}

/** After this many failures in a row a source is left out until something changes. */
const MOST_FAILURES = 3

/** Brings the producers on a node in line with what should be published, one step at a time. */
export class Senders {
  readonly #options: SendersOptions
  readonly #senders = new Map<TrackSource, Sender>()
  readonly #demand = new Map<TrackSource, number>()
  readonly #failures = new Map<TrackSource, number>()
  #wanted: LocalSources = new Map()
  #settled = true
  readonly #reconcile = serial(() => this.#run())

  constructor(options: SendersOptions) {
    this.#options = options
  }

  /** Whether everything wanted is published. */
  get settled(): boolean {
    return this.#settled
  }

  get size(): number {
    return this.#senders.size
  }

  publish(wanted: LocalSources): void {
    this.#wanted = wanted
    this.#failures.clear()
    this.#settled = false
    this.#reconcile()
  }

  sourceOf(producer: ProducerId): TrackSource | undefined {
    for (const [source, sender] of this.#senders) {
      if (sender.producer.id === producer) return source
    }
    return undefined
  }

  /** Sends no simulcast layer above `maxSpatialLayer`; -1 sends nothing. */
  demand(source: TrackSource, maxSpatialLayer: number): void {
    if (kindOf(source) !== 'video') return
    this.#demand.set(source, maxSpatialLayer)
    this.#reconcile()
  }

  async #run(): Promise<void> {
    for (const source of this.#senders.keys()) {
      if (!this.#wanted.has(source)) await this.#attempt(source, () => this.#remove(source))
    }
    for (const [source, local] of this.#wanted) {
      await this.#attempt(source, () => this.#bringInLine(source, local))
    }
    this.#settled = true
    this.#options.changed()
  }

  async #attempt(source: TrackSource, work: () => Promise<void>): Promise<void> {
    const failures = this.#failures.get(source) ?? 0
    if (failures >= MOST_FAILURES || this.#options.transport.closed) return
    try {
      await work()
      this.#failures.delete(source)
    } catch {
      this.#failures.set(source, failures + 1)
      this.#reconcile()
    }
  }

  async #bringInLine(source: TrackSource, local: LocalSource): Promise<void> {
    const sender = this.#senders.get(source) ?? (await this.#add(source, local))
    if (!sender) return
    const { producer } = sender
    const track = local.track ?? null
    if (producer.track !== track) await producer.replaceTrack({ track })
    const paused = !local.live
    if (sender.paused !== paused) {
      await this.#options.pause(idOf(producer), paused)
      sender.paused = paused
    }
    const layer = this.#demand.get(source)
    // mediasoup-client takes the same layer twice as nothing to do.
    if (layer !== undefined) await producer.setMaxSpatialLayer(layer)
  }

  async #add(source: TrackSource, { track, live }: LocalSource): Promise<Sender | undefined> {
    if (track?.readyState !== 'live') return undefined
    const { width = 0, height = 0 } = track.getSettings()
    const producer = await this.#options.transport.produce<ProducerTag>({
      track,
      encodings: nodeEncodings(source, { width, height }),
      codecOptions: { opusDtx: true, opusFec: true, videoGoogleStartBitrate: 600 },
      stopTracks: false,
      disableTrackOnPause: false,
      zeroRtpOnPause: false,
      onRtpSender: (rtpSender) => this.#options.hooks?.sender(rtpSender, source),
      appData: { source, paused: !live },
    })
    const sender = { producer, paused: !live }
    this.#senders.set(source, sender)
    return sender
  }

  async #remove(source: TrackSource): Promise<void> {
    const sender = this.#senders.get(source)
    if (!sender) return
    this.#senders.delete(source)
    this.#demand.delete(source)
    sender.producer.close()
    await this.#options.unproduce(idOf(sender.producer))
  }
}

function idOf(producer: types.Producer<ProducerTag>): ProducerId {
  // It was made with the id that `sfu.produce` answered.
  return producer.id as ProducerId
}
