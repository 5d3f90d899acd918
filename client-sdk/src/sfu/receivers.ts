import type { types } from 'mediasoup-client'
import type { ConsumerId, ConsumerInfo, ProducerId, StreamView } from '@parley/protocol'
import { streamKey } from '../core/media-plan.ts'
import type { StreamKey, WantedStream } from '../core/media-plan.ts'
import type { ProofState } from '../core/frames/stream-proof.ts'
import { hasDecoded } from '../core/stats.ts'
import type { FrameGuard } from '../e2ee/frame-guard.ts'
import type { GuardedStream } from '../e2ee/guarded-stream.ts'
import { CallError } from '../errors.ts'
import type { RemoteStream, TileSize } from '../ports.ts'
import { serial } from '../serial.ts'

/** What receiving from a node needs. */
export interface ReceiversOptions {
  readonly transport: types.Transport
  readonly guard: FrameGuard | undefined
  readonly consume: (producer: ProducerId) => Promise<ConsumerInfo>
  readonly resume: (consumer: ConsumerId) => Promise<unknown>
  readonly view: (views: StreamView[]) => Promise<unknown>
  readonly changed: () => void
}

interface Receiver {
  readonly stream: WantedStream
  readonly consumer: types.Consumer
  readonly guarded: GuardedStream | undefined
  /** The node has been told to send. */
  resumed: boolean
  /** What the node was told last of its tile. */
  told: TileSize | undefined
}

/** After this many failures in a row a stream is left out until the next change. */
const MOST_FAILURES = 3

/** Brings the consumers of a node in line with what should be received, one step at a time. */
export class Receivers {
  readonly #options: ReceiversOptions
  readonly #receivers = new Map<ProducerId, Receiver>()
  readonly #failures = new Map<ProducerId, number>()
  #wanted: readonly WantedStream[] = []
  #tiles: ReadonlyMap<StreamKey, TileSize> = new Map()
  readonly #reconcile = serial(() => this.#run())

  constructor(options: ReceiversOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#receivers.size
  }

  /** Whether everything wanted is received, or has been given up. */
  get settled(): boolean {
    return this.#wanted.every(
      ({ producer }) => this.#receivers.has(producer) || this.#isGivenUp(producer),
    )
  }

  get streams(): ReadonlyMap<StreamKey, RemoteStream> {
    return new Map(
      [...this.#receivers.values()].map(({ stream: { participant, source }, consumer }) => [
        streamKey(participant, source),
        { participant, source, track: consumer.track },
      ]),
    )
  }

  /** How far each stream has been seen to be encrypted. */
  get proofs(): readonly ProofState[] {
    return [...this.#receivers.values()].flatMap(({ guarded }) => guarded?.state ?? [])
  }

  /** Ends what the transport's end does not. */
  close(): void {
    for (const { guarded } of this.#receivers.values()) guarded?.close()
  }

  receive(wanted: readonly WantedStream[]): void {
    this.#wanted = wanted
    this.#failures.clear()
    this.#reconcile()
  }

  show(tiles: ReadonlyMap<StreamKey, TileSize>): void {
    this.#tiles = tiles
    this.#reconcile()
  }

  /** Tries again what was given up. */
  retry(): void {
    this.#failures.clear()
    this.#reconcile()
  }

  /** Which stream a consumer carries. */
  keyOf(consumer: ConsumerId): StreamKey | undefined {
    for (const receiver of this.#receivers.values()) {
      if (receiver.consumer.id !== consumer) continue
      return streamKey(receiver.stream.participant, receiver.stream.source)
    }
    return undefined
  }

  async decoded(): Promise<ReadonlySet<StreamKey>> {
    const found = new Set<StreamKey>()
    for (const { stream, consumer } of this.#receivers.values()) {
      const report = consumer.closed ? undefined : await consumer.rtpReceiver?.getStats()
      if (report && hasDecoded(report.values())) {
        found.add(streamKey(stream.participant, stream.source))
      }
    }
    return found
  }

  async #run(): Promise<void> {
    if (this.#options.transport.closed) return
    this.#dropUnwanted()
    // All at once: mediasoup-client takes what comes together in one round of negotiation.
    await Promise.all(this.#wanted.map((stream) => this.#attempt(stream)))
    await this.#tellViews()
  }

  #dropUnwanted(): void {
    const wanted = new Set(this.#wanted.map(({ producer }) => producer))
    for (const [producer, receiver] of this.#receivers) {
      if (receiver.guarded?.state === 'bypassed') {
        this.#failures.set(producer, (this.#failures.get(producer) ?? 0) + 1)
      } else if (wanted.has(producer)) continue
      this.#drop(producer, receiver)
    }
  }

  #drop(producer: ProducerId, { consumer, guarded }: Receiver): void {
    consumer.close()
    guarded?.close()
    this.#receivers.delete(producer)
    this.#options.changed()
  }

  async #attempt(stream: WantedStream): Promise<void> {
    const { producer } = stream
    if (this.#isGivenUp(producer) || this.#receivers.get(producer)?.resumed === true) return
    try {
      const receiver = this.#receivers.get(producer) ?? (await this.#add(stream))
      await this.#resume(receiver)
    } catch {
      this.#failures.set(producer, (this.#failures.get(producer) ?? 0) + 1)
      if (this.#isGivenUp(producer)) this.#options.changed()
      this.#reconcile()
    }
  }

  #isGivenUp(producer: ProducerId): boolean {
    return (this.#failures.get(producer) ?? 0) >= MOST_FAILURES
  }

  /** Has the node send. One that it does not know is taken anew, and not left without a picture. */
  async #resume(receiver: Receiver): Promise<void> {
    const { stream, consumer } = receiver
    try {
      // Made with the id that `sfu.consume` answered.
      await this.#options.resume(consumer.id as ConsumerId)
      receiver.resumed = true
    } catch (error) {
      const mayHelp = error instanceof CallError && error.retryable
      if (!mayHelp) this.#drop(stream.producer, receiver)
      throw error
    }
  }

  async #add(stream: WantedStream): Promise<Receiver> {
    const { transport, guard, consume, changed } = this.#options
    let guarded: GuardedStream | undefined
    const info = await consume(stream.producer)
    const consuming = transport.consume({
      id: info.consumer,
      producerId: info.producer,
      kind: info.kind,
      // Made by mediasoup on the node, opaque on the way.
      rtpParameters: info.rtpParameters as types.RtpParameters,
      // One per participant and kind of capture, so that the browser keeps lips and voice together.
      streamId: `${stream.participant}-${stream.source.startsWith('screen') ? 'screen' : 'person'}`,
      onRtpReceiver: (receiver) => {
        guarded = guard?.receiver(receiver, stream, () => this.#onGuarded())
      },
    })
    const consumer = await consuming.catch((error: unknown) => {
      guarded?.close()
      throw error
    })
    if (guard && !guarded) {
      consumer.close()
      throw new CallError('encryption-lost')
    }
    const receiver = { stream, consumer, guarded, resumed: false, told: undefined }
    this.#receivers.set(stream.producer, receiver)
    changed()
    return receiver
  }

  #onGuarded(): void {
    this.#options.changed()
    this.#reconcile()
  }

  async #tellViews(): Promise<void> {
    const changed = [...this.#receivers.values()].flatMap((receiver) => {
      const { participant, source } = receiver.stream
      const size = this.#tiles.get(streamKey(participant, source))
      if (!size || receiver.consumer.kind !== 'video' || isSame(size, receiver.told)) return []
      return [{ receiver, size }]
    })
    if (changed.length === 0) return
    for (const { receiver, size } of changed) receiver.told = size
    // Made with the id that `sfu.consume` answered.
    const id = ({ consumer }: Receiver) => consumer.id as ConsumerId
    const views = changed.map(({ receiver, size }) => ({ consumer: id(receiver), ...size }))
    await this.#options.view(views).catch(() => {
      for (const { receiver } of changed) receiver.told = undefined
    })
  }
}

function isSame(a: TileSize, b: TileSize | undefined): boolean {
  return a.width === b?.width && a.height === b.height && a.visible === b.visible
}
