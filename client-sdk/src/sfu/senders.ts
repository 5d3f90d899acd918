import type { types } from 'mediasoup-client'
import type { MediaKind, ProducerId, TrackSource } from '@parley/protocol'
import { nodeEncodings } from '../core/encodings.ts'
import type { ProofState } from '../core/frames/stream-proof.ts'
import { kindOf } from '../core/media-kind.ts'
import type { ChosenCodec } from '../core/video-codec.ts'
import type { FrameGuard } from '../e2ee/frame-guard.ts'
import type { GuardedStream } from '../e2ee/guarded-stream.ts'
import type { LocalSource, LocalSources } from '../ports.ts'
import { CallError } from '../errors.ts'
import { serial } from '../serial.ts'

/** What publishing to a node needs. */
export interface SendersOptions {
  readonly transport: types.Transport
  readonly guard: FrameGuard | undefined
  readonly codecFor: (kind: MediaKind) => ChosenCodec<types.RtpCodecCapability> | undefined
  /** The browser encodes one stream in layers. */
  readonly svc: boolean
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
  readonly guarded: GuardedStream | undefined
  /** Silence or black in the shape of the source, until its frames are proven to be sealed. */
  standIn: MediaStreamTrack | undefined
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

  /** How far each stream has been seen to be encrypted. */
  get proofs(): readonly ProofState[] {
    return [...this.#senders.values()].flatMap(({ guarded }) => guarded?.state ?? [])
  }

  /** Ends what the transport's end does not. */
  close(): void {
    for (const { guarded, standIn } of this.#senders.values()) {
      guarded?.close()
      standIn?.stop()
    }
  }

  publish(wanted: LocalSources): void {
    this.#wanted = wanted
    this.#failures.clear()
    this.#settled = false
    this.#reconcile()
  }

  /** Tries again what was given up. */
  retry(): void {
    this.#failures.clear()
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
    for (const [source, { guarded }] of this.#senders) {
      const bypassed = guarded?.state === 'bypassed'
      if (bypassed) this.#failures.set(source, (this.#failures.get(source) ?? 0) + 1)
      if (bypassed || !this.#wanted.has(source)) await this.#remove(source).catch(() => undefined)
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
    } catch {
      this.#failures.set(source, failures + 1)
      this.#reconcile()
    }
  }

  async #bringInLine(source: TrackSource, local: LocalSource): Promise<void> {
    const sender = this.#senders.get(source) ?? (await this.#add(source, local))
    if (!sender) return
    const { producer } = sender
    const track = trackFor(sender, local)
    if (producer.track !== track) await producer.replaceTrack({ track })
    if (track !== sender.standIn) {
      sender.standIn?.stop()
      sender.standIn = undefined
    }
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
    const { transport, guard, codecFor, svc } = this.#options
    const codec = codecFor(kindOf(source))
    if (!codec) throw new CallError('media-failed', { message: `No codec for the ${source}.` })
    const { width = 0, height = 0 } = track.getSettings()
    const standIn = guard && silenceOf(track)
    let guarded: GuardedStream | undefined
    const spec = { source, codec: codec.name }
    const producing = transport.produce<ProducerTag>({
      track: standIn ?? track,
      codec: codec.description,
      encodings: nodeEncodings(source, { width, height, svc: svc && codec.name === 'vp9' }),
      codecOptions: { opusDtx: true, opusFec: true, videoGoogleStartBitrate: 600 },
      stopTracks: false,
      disableTrackOnPause: false,
      zeroRtpOnPause: false,
      onRtpSender: (rtpSender) => {
        guarded = guard?.sender(rtpSender, spec, () => this.#onGuarded())
      },
      appData: { source, paused: !live },
    })
    const producer = await producing.catch((error: unknown) => {
      guarded?.close()
      standIn?.stop()
      throw error
    })
    if (guard && !guarded) {
      producer.close()
      standIn?.stop()
      throw new CallError('encryption-lost')
    }
    const sender = { producer, guarded, standIn, paused: !live }
    this.#senders.set(source, sender)
    return sender
  }

  #onGuarded(): void {
    this.#options.changed()
    this.#reconcile()
  }

  async #remove(source: TrackSource): Promise<void> {
    const sender = this.#senders.get(source)
    if (!sender) return
    this.#senders.delete(source)
    this.#demand.delete(source)
    sender.producer.close()
    sender.guarded?.close()
    sender.standIn?.stop()
    await this.#options.unproduce(idOf(sender.producer))
  }
}

/** What of a source may be sent by now. */
function trackFor(sender: Sender, { track }: LocalSource): MediaStreamTrack | null {
  if (!track) return null
  if (!sender.guarded || sender.guarded.state === 'proven') return track
  sender.standIn ??= silenceOf(track)
  return sender.standIn
}

/** A disabled copy: encoders give the same frames of it as of the track, with nothing in them. */
function silenceOf(track: MediaStreamTrack): MediaStreamTrack {
  const copy = track.clone()
  copy.enabled = false
  return copy
}

function idOf(producer: types.Producer<ProducerTag>): ProducerId {
  // It was made with the id that `sfu.produce` answered.
  return producer.id as ProducerId
}
