import type {
  ConsumerId,
  Millis,
  NodeEvent,
  ParticipantId,
  ProducerId,
  Step,
} from '@parley/protocol'
import { kindOfSource, stay } from '@parley/protocol'
import { allocate } from './allocation.ts'
import type { Allotment, Stream } from './allocation.ts'
import { demand } from './demand.ts'
import { demandEvent, layerEvent } from './room-report.ts'
import { publisherOf, withConsumer, withPeer } from './room.ts'
import type { Consumer, LayerReport, Peer, Producer, Room } from './room.ts'

/**
 * A layer that is missing for this long is missing for want of bandwidth. Shorter takes a publisher
 * who is just resuming a layer for a slow link; longer leaves people guessing.
 */
const STARVED_AFTER_MS = 3_000

export type LayerEffect =
  | { readonly type: 'pauseConsumer'; readonly consumer: ConsumerId }
  | { readonly type: 'resumeConsumer'; readonly consumer: ConsumerId }
  | {
      readonly type: 'setLayers'
      readonly consumer: ConsumerId
      readonly spatialLayer: number
      readonly temporalLayer: number
    }
  | { readonly type: 'setPriority'; readonly consumer: ConsumerId; readonly priority: number }
  | { readonly type: 'tell'; readonly event: NodeEvent }

type LayerStep = Step<Room, LayerEffect>

/** What somebody who holds the call sees of anything. */
const HELD_TILE = { width: 0, height: 0, visible: false } as const

/** What a new consumer of `producer` begins with; its id is not known yet. */
export function openingAllotment(
  room: Room,
  { held }: Pick<Peer, 'held'>,
  { publisher, producer }: { readonly publisher: Peer; readonly producer: Producer },
): Allotment {
  const id = '' as ConsumerId
  const tile = held ? HELD_TILE : undefined
  const stream = streamOf(room, { id, publisher: publisher.id, producer, tile })
  const [allotment] = allocate([stream])
  if (allotment === undefined) throw new TypeError('one stream gives one allotment')
  return allotment
}

/** Allots layers to all streams of one subscriber again. */
export function allotPeer(room: Room, id: ParticipantId): LayerStep {
  const peer = room.peers.get(id)
  if (peer === undefined) return stay(room)
  const streams: Stream[] = []
  for (const consumer of peer.consumers.values()) {
    const producer = room.peers.get(consumer.publisher)?.producers.get(consumer.producer)
    if (producer === undefined) continue
    const { id: consumerId, publisher, tile } = consumer
    const shown = peer.held ? HELD_TILE : tile
    streams.push(streamOf(room, { id: consumerId, publisher, producer, tile: shown }))
  }
  const allotments = new Map(allocate(streams).map((a) => [a.consumer, a]))
  const effects: LayerEffect[] = []
  let changed = peer
  for (const consumer of peer.consumers.values()) {
    const allotment = allotments.get(consumer.id)
    if (allotment === undefined) continue
    effects.push(...allotmentChanges(consumer, allotment))
    changed = withConsumer(changed, { ...consumer, allotment })
  }
  return { state: withPeer(room, changed), effects }
}

/** {@link allotPeer} for everybody. */
export function allotAll(room: Room): LayerStep {
  let state = room
  const effects: LayerEffect[] = []
  for (const id of room.peers.keys()) {
    const step = allotPeer(state, id)
    state = step.state
    effects.push(...step.effects)
  }
  return { state, effects }
}

/** Tells a subscriber what it gets of its video streams where that has changed. */
export function reportLayers(room: Room, id: ParticipantId, now: Millis): LayerStep {
  const peer = room.peers.get(id)
  if (peer === undefined) return stay(room)
  const effects: LayerEffect[] = []
  let changed = peer
  for (const consumer of peer.consumers.values()) {
    const producer = room.peers.get(consumer.publisher)?.producers.get(consumer.producer)
    const report = producer && reportOf(consumer, producer)
    const starved = report?.reason === 'bandwidth'
    const starvedAt = starved ? (consumer.starvedAt ?? now + STARVED_AFTER_MS) : undefined
    const early = starvedAt !== undefined && now < starvedAt
    if (report === undefined || early || isSame(report, consumer.told)) {
      if (starvedAt !== consumer.starvedAt)
        changed = withConsumer(changed, { ...consumer, starvedAt })
      continue
    }
    changed = withConsumer(changed, { ...consumer, told: report, starvedAt })
    const event = layerEvent(room, id, { id: consumer.id, told: report })
    effects.push({ type: 'tell', event })
  }
  return changed === peer ? stay(room) : { state: withPeer(room, changed), effects }
}

/** Whether {@link reportLayers} would tell the peer of a want of bandwidth that has lasted. */
export function hasStarved(peer: Peer, now: Millis): boolean {
  return [...peer.consumers.values()].some(
    ({ starvedAt, told }) =>
      starvedAt !== undefined && now >= starvedAt && told?.reason !== 'bandwidth',
  )
}

/** Adjusts the demand for `producers` to what is taken of them, and tells their publishers. */
export function followDemand(room: Room, producers: readonly ProducerId[], now: Millis): LayerStep {
  let state = room
  const effects: LayerEffect[] = []
  for (const id of producers) {
    const publisher = publisherOf(state, id)
    const producer = publisher?.producers.get(id)
    if (publisher === undefined || producer === undefined) continue
    if (kindOfSource[producer.source] === 'audio') continue
    const next = demand(producer.demand, wantedLayer(state, id), now)
    if (next === producer.demand) continue
    const changed = { ...producer, demand: next }
    state = withPeer(state, {
      ...publisher,
      producers: new Map(publisher.producers).set(id, changed),
    })
    if (next.layer !== producer.demand.layer) {
      effects.push({ type: 'tell', event: demandEvent(state, publisher.id, changed) })
    }
  }
  return { state, effects }
}

/** A consumer that its subscriber has not resumed yet counts: it is about to be watched. */
function wantedLayer(room: Room, producer: ProducerId): number {
  let wanted = -1
  for (const peer of room.peers.values()) {
    const allotment = peer.consumers.get(producer)?.allotment
    if (allotment !== undefined && !allotment.paused) {
      wanted = Math.max(wanted, allotment.spatialLayer)
    }
  }
  return wanted
}

function streamOf(
  room: Room,
  {
    id,
    publisher,
    producer,
    tile,
  }: Pick<Consumer, 'id' | 'publisher'> & { readonly producer: Producer } & Partial<
      Pick<Consumer, 'tile'>
    >,
): Stream {
  const speaking = room.speakers.speaking === publisher
  return { consumer: id, source: producer.source, layers: producer.layers, speaking, tile }
}

function allotmentChanges(consumer: Consumer, next: Allotment): LayerEffect[] {
  const { id, allotment: old, resumed } = consumer
  const effects: LayerEffect[] = []
  if (!next.paused && (old.paused || !isSameLayer(old, next))) {
    const { spatialLayer, temporalLayer } = next
    effects.push({ type: 'setLayers', consumer: id, spatialLayer, temporalLayer })
  }
  if (old.priority !== next.priority) {
    effects.push({ type: 'setPriority', consumer: id, priority: next.priority })
  }
  if (resumed && old.paused !== next.paused) {
    effects.push({ type: next.paused ? 'pauseConsumer' : 'resumeConsumer', consumer: id })
  }
  return effects
}

function isSameLayer(a: Allotment, b: Allotment): boolean {
  return a.spatialLayer === b.spatialLayer && a.temporalLayer === b.temporalLayer
}

/** Undefined while there is nothing to say: sound, a muted camera, a stream that is not running. */
function reportOf(consumer: Consumer, producer: Producer): LayerReport | undefined {
  const { allotment, current, resumed } = consumer
  if (kindOfSource[producer.source] === 'audio' || !resumed) return undefined
  if (allotment.paused) return { spatialLayer: null, reason: 'not-watched' }
  if (producer.paused) return undefined
  // mediasoup forwards a single-layer stream whatever the estimate, and says nothing about it.
  if (producer.layers === 1) return { spatialLayer: 0, reason: allotment.reason }
  if (current === undefined) return undefined
  if (current === null) return { spatialLayer: null, reason: 'bandwidth' }
  const starved = current < allotment.spatialLayer
  return { spatialLayer: current, reason: starved ? 'bandwidth' : allotment.reason }
}

function isSame(a: LayerReport, b: LayerReport | undefined): boolean {
  return a.spatialLayer === b?.spatialLayer && a.reason === b.reason
}
