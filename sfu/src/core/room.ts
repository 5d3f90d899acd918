import type {
  CallId,
  ConsumerId,
  LayerReason,
  Millis,
  ParticipantId,
  ProducerId,
  StreamView,
  TrackSource,
  TransportId,
} from '@parley/protocol'
import type { Allotment, Tile } from './allocation.ts'
import type { Demand } from './demand.ts'
import type { Speakers } from './speakers.ts'

/** Names a room on a node: one epoch of one call. */
export type RoomKey = string & { readonly brand: 'RoomKey' }

/** RTP capabilities as mediasoup-client makes them; mediasoup reads them. */
export type Capabilities = Readonly<Record<string, unknown>>

/** A stream that a peer sends. */
export interface Producer {
  readonly id: ProducerId
  readonly source: TrackSource
  readonly paused: boolean
  /** Spatial layers, 1 to 3. */
  readonly layers: number
  /** The media section that it comes in, where the publisher names it. */
  readonly mid?: string
  readonly demand: Demand
}

/** What a subscriber was told of a stream last. */
export interface LayerReport {
  readonly spatialLayer: number | null
  readonly reason: LayerReason
}

/** A stream that a peer takes. */
export interface Consumer {
  readonly id: ConsumerId
  readonly producer: ProducerId
  readonly publisher: ParticipantId
  /** False until the subscriber has built its end, so that no key frame is wasted. */
  readonly resumed: boolean
  readonly tile: Tile | undefined
  readonly allotment: Allotment
  /** The layer that is sent now, null for none; undefined until the worker has said. */
  readonly current: number | null | undefined
  readonly told: LayerReport | undefined
  /** While less than the allotment is sent: when that counts as want of bandwidth. */
  readonly starvedAt: Millis | undefined
}

/** A participant with his two transports. */
export interface Peer {
  readonly id: ParticipantId
  readonly send: TransportId
  readonly recv: TransportId
  readonly connected: readonly TransportId[]
  readonly capabilities: Capabilities | undefined
  /** It holds its call: nothing goes to it, and nothing of it to others. */
  readonly held: boolean
  readonly producers: ReadonlyMap<ProducerId, Producer>
  /** By what they consume: a peer takes each stream once. */
  readonly consumers: ReadonlyMap<ProducerId, Consumer>
}

/** A room on one worker. */
export interface Room {
  readonly call: CallId
  readonly epoch: number
  readonly worker: number
  readonly rtpCapabilities: Capabilities
  readonly peers: ReadonlyMap<ParticipantId, Peer>
  readonly speakers: Speakers
}

/** The key of an epoch's room. */
export function roomKey({ call, epoch }: Pick<Room, 'call' | 'epoch'>): RoomKey {
  return `${call}/${epoch}` as RoomKey
}

/** The peer that sends `producer`. */
export function publisherOf(room: Room, producer: ProducerId): Peer | undefined {
  return [...room.peers.values()].find((peer) => peer.producers.has(producer))
}

/** The peer's consumer with the id `consumer`. */
export function consumerOf(peer: Peer, consumer: ConsumerId): Consumer | undefined {
  return [...peer.consumers.values()].find(({ id }) => id === consumer)
}

/** The tile of a view. */
export function tileOf({ width, height, visible }: StreamView): Tile {
  return { width, height, visible }
}

/** The room with `peer` in his newest state. */
export function withPeer(room: Room, peer: Peer): Room {
  return { ...room, peers: new Map(room.peers).set(peer.id, peer) }
}

/** The peer with `consumer` in its newest state. */
export function withConsumer(peer: Peer, consumer: Consumer): Peer {
  return { ...peer, consumers: new Map(peer.consumers).set(consumer.producer, consumer) }
}
