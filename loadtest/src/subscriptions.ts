import type { CallView, MediaKind, ParticipantId, ProducerId } from '@parley/protocol'
import { ssrcOf } from './ortc.ts'
import type { Seat } from './plan.ts'
import { ReceivedAudio, ReceivedVideo } from './received-stream.ts'
import type { Instruments, ReceivedStream } from './received-stream.ts'
import type { RtpPacket } from './rtp.ts'
import type { StreamSample } from './samples.ts'
import { RequestError } from './signaling-client.ts'
import type { SignalingClient } from './signaling-client.ts'

/** A caller's place on the SFU. */
export interface MediaSeat {
  readonly signaling: SignalingClient
  readonly inMedia: { readonly call: CallView['id']; readonly epoch: number }
}

interface Publication {
  readonly user: string
  readonly producer: ProducerId
  readonly kind: MediaKind
  readonly epoch: number
}

/** Everything that one caller receives: takes each stream that somebody else publishes. */
export class Subscriptions {
  readonly #seat: Seat
  readonly #seats: ReadonlyMap<string, Seat>
  readonly #instruments: Instruments
  readonly #onFailure: (error: unknown) => void
  readonly #streams = new Map<number, ReceivedStream>()
  readonly #learnedAtMs = new Map<ProducerId, number>()
  readonly #taken = new Set<ProducerId>()
  #published: readonly Publication[] = []
  #media: MediaSeat | undefined

  constructor(options: {
    readonly seat: Seat
    /** Seats by user. */
    readonly seats: ReadonlyMap<string, Seat>
    readonly instruments: Instruments
    readonly onFailure: (error: unknown) => void
  }) {
    this.#seat = options.seat
    this.#seats = options.seats
    this.#instruments = options.instruments
    this.#onFailure = options.onFailure
  }

  /** How many streams have brought anything. */
  get flowing(): number {
    return this.sample(0).filter(({ figures }) => figures.packets > 0).length
  }

  /** Learns from a view of the call who publishes what. */
  see(view: CallView, me: ParticipantId | undefined): void {
    const others = view.participants.filter(({ id }) => id !== me)
    this.#published = others.flatMap(({ user, publications }) =>
      publications.map(({ producer, kind, epoch }) => ({ user, producer, kind, epoch })),
    )
    const nowMs = performance.now()
    for (const { producer } of this.#published) {
      if (!this.#learnedAtMs.has(producer)) this.#learnedAtMs.set(producer, nowMs)
    }
    this.#takeNew()
  }

  /** The transport is up: streams can be taken from now on. */
  begin(media: MediaSeat): void {
    this.#media = media
    this.#takeNew()
  }

  /** Counts a packet; false when it belongs to no stream. */
  take(packet: RtpPacket): boolean {
    const stream = this.#streams.get(packet.ssrc)
    stream?.take(packet, performance.now())
    return stream !== undefined
  }

  sample(nowMs: number): readonly StreamSample[] {
    return [...this.#streams.values()].map((stream) => stream.sample(nowMs))
  }

  #takeNew(): void {
    const media = this.#media
    if (!media) return
    for (const publication of this.#published) {
      const { producer, epoch, user } = publication
      const from = this.#seats.get(user)
      if (!from || this.#taken.has(producer) || epoch !== media.inMedia.epoch) continue
      this.#taken.add(producer)
      this.#subscribe(media, publication, from).catch((error: unknown) => {
        // What has been taken back in the meantime is no failure.
        if (this.#published.some((still) => still.producer === producer)) this.#onFailure(error)
      })
    }
  }

  async #subscribe(media: MediaSeat, publication: Publication, from: Seat): Promise<void> {
    const { signaling, inMedia } = media
    const { producer, kind } = publication
    const consumer = await signaling.request('sfu.consume', { ...inMedia, producer })
    const ssrc = ssrcOf(consumer)
    if (ssrc === undefined) throw new RequestError('bad-answer', 'the stream has no SSRC')
    const learnedAtMs = this.#learnedAtMs.get(producer) ?? performance.now()
    const ends = { from, to: this.#seat, learnedAtMs }
    const Stream = kind === 'audio' ? ReceivedAudio : ReceivedVideo
    this.#streams.set(ssrc, new Stream(ends, this.#instruments))
    await signaling.request('sfu.resume', { ...inMedia, consumer: consumer.consumer })
  }
}
