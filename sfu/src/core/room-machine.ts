import type {
  ConsumerId,
  Millis,
  ParticipantId,
  ProducerId,
  Step,
  StreamView,
  TrackSource,
  TransportId,
} from '@parley/protocol'
import { stay, unreachable } from '@parley/protocol'
import type { Allotment } from './allocation.ts'
import { newDemand } from './demand.ts'
import { allotAll, allotPeer, followDemand, hasStarved, reportLayers } from './room-layers.ts'
import type { LayerEffect } from './room-layers.ts'
import { peerEvents, speakerEvent } from './room-report.ts'
import { consumerOf, tileOf, withConsumer, withPeer } from './room.ts'
import type { Capabilities, Consumer, Peer, Producer, Room } from './room.ts'
import { speakers } from './speakers.ts'
import type { SpeakerEvent } from './speakers.ts'

/** What happened in a room: orders that the worker has carried out, and what it told by itself. */
export type RoomEvent =
  | {
      readonly type: 'peerOpened'
      readonly peer: ParticipantId
      readonly send: TransportId
      readonly recv: TransportId
    }
  | { readonly type: 'peerClosed'; readonly peer: ParticipantId }
  | {
      readonly type: 'capabilitiesSet'
      readonly peer: ParticipantId
      readonly capabilities: Capabilities
    }
  | { readonly type: 'peerHeld'; readonly peer: ParticipantId; readonly on: boolean }
  | {
      readonly type: 'transportConnected'
      readonly peer: ParticipantId
      readonly transport: TransportId
    }
  | {
      readonly type: 'producerOpened'
      readonly peer: ParticipantId
      readonly producer: ProducerId
      readonly source: TrackSource
      readonly paused: boolean
      readonly layers: number
      readonly mid?: string
    }
  | {
      readonly type: 'producerPaused'
      readonly peer: ParticipantId
      readonly producer: ProducerId
      readonly paused: boolean
    }
  | {
      readonly type: 'producerClosed'
      readonly peer: ParticipantId
      readonly producer: ProducerId
    }
  | {
      readonly type: 'consumerOpened'
      readonly peer: ParticipantId
      readonly producer: ProducerId
      readonly publisher: ParticipantId
      /** As it was opened with. */
      readonly allotment: Allotment
    }
  | {
      readonly type: 'consumerResumed'
      readonly peer: ParticipantId
      readonly consumer: ConsumerId
    }
  | {
      readonly type: 'viewsChanged'
      readonly peer: ParticipantId
      readonly views: readonly StreamView[]
    }
  | {
      readonly type: 'layersChanged'
      readonly peer: ParticipantId
      readonly consumer: ConsumerId
      readonly spatialLayer: number | null
    }
  /** A peer may have missed what it was told. */
  | { readonly type: 'reportAsked'; readonly peer: ParticipantId }
  | { readonly type: 'speech'; readonly event: SpeakerEvent }
  | { readonly type: 'tick' }

export type RoomEffect =
  | LayerEffect
  | { readonly type: 'closeTransport'; readonly transport: TransportId }
  | { readonly type: 'closeProducer'; readonly producer: ProducerId }
  | { readonly type: 'closeConsumer'; readonly consumer: ConsumerId }

type RoomStep = Step<Room, RoomEffect>

/** The machine. An event about somebody who is not there changes nothing. */
export function room(state: Room, event: RoomEvent, now: Millis): RoomStep {
  switch (event.type) {
    case 'peerOpened':
      return onPeerOpened(state, event, now)
    case 'speech':
      return onSpeech(state, event.event, now)
    case 'tick':
      return onTick(state, now)
    case 'peerClosed':
    case 'capabilitiesSet':
    case 'peerHeld':
    case 'transportConnected':
    case 'producerOpened':
    case 'producerPaused':
    case 'producerClosed':
    case 'consumerOpened':
    case 'consumerResumed':
    case 'viewsChanged':
    case 'layersChanged':
    case 'reportAsked': {
      const peer = state.peers.get(event.peer)
      return peer === undefined ? stay(state) : onPeerEvent(state, peer, event, now)
    }
    default:
      return unreachable(event)
  }
}

/** Whether `tick` has something to do at `now`. */
export function isDue(state: Room, now: Millis): boolean {
  const { silentAt } = state.speakers
  if (silentAt !== undefined && now >= silentAt) return true
  for (const peer of state.peers.values()) {
    if (hasStarved(peer, now)) return true
    for (const { demand } of peer.producers.values()) {
      if (demand.lowerAt !== undefined && now >= demand.lowerAt) return true
    }
  }
  return false
}

type PeerEvent = Exclude<RoomEvent, { type: 'peerOpened' | 'speech' | 'tick' }>

function onPeerEvent(state: Room, peer: Peer, event: PeerEvent, now: Millis): RoomStep {
  switch (event.type) {
    case 'peerClosed':
      return onPeerClosed(state, peer, now)
    case 'capabilitiesSet':
      return stay(withPeer(state, { ...peer, capabilities: event.capabilities }))
    case 'peerHeld':
      return onHeld(state, peer, event.on, now)
    case 'transportConnected':
      return stay(withPeer(state, { ...peer, connected: [...peer.connected, event.transport] }))
    case 'producerOpened':
      return onProducerOpened(state, peer, event, now)
    case 'producerPaused': {
      const producer = peer.producers.get(event.producer)
      if (producer === undefined) return stay(state)
      const changed = { ...producer, paused: event.paused }
      return stay(withPeer(state, withProducer(peer, changed)))
    }
    case 'producerClosed': {
      const producer = peer.producers.get(event.producer)
      return producer === undefined ? stay(state) : closeProducer(state, peer, producer)
    }
    case 'consumerOpened':
      return onConsumerOpened(state, peer, event, now)
    case 'consumerResumed':
      return onConsumerResumed(state, peer, event.consumer, now)
    case 'viewsChanged':
      return onViews(state, peer, event.views, now)
    case 'reportAsked': {
      const effects = peerEvents(state, peer).map((tell): RoomEffect => ({
        type: 'tell',
        event: tell,
      }))
      return { state, effects }
    }
    case 'layersChanged': {
      const consumer = consumerOf(peer, event.consumer)
      if (consumer === undefined) return stay(state)
      const changed = withConsumer(peer, { ...consumer, current: event.spatialLayer })
      return reportLayers(withPeer(state, changed), changed.id, now)
    }
    default:
      return unreachable(event)
  }
}

function onPeerOpened(
  state: Room,
  { peer, send, recv }: Extract<RoomEvent, { type: 'peerOpened' }>,
  now: Millis,
): RoomStep {
  const old = state.peers.get(peer)
  const closed = old === undefined ? stay(state) : onPeerClosed(state, old, now)
  const opened: Peer = {
    id: peer,
    send,
    recv,
    connected: [],
    capabilities: undefined,
    held: false,
    producers: new Map(),
    consumers: new Map(),
  }
  return { state: withPeer(closed.state, opened), effects: closed.effects }
}

function onPeerClosed(state: Room, peer: Peer, now: Millis): RoomStep {
  const peers = new Map(state.peers)
  peers.delete(peer.id)
  let left: Room = { ...state, peers }
  // The transports take their producers and consumers with them; only the others' ends remain.
  for (const producer of peer.producers.keys()) left = withoutConsumersOf(left, producer)
  const closing: RoomStep = {
    state: left,
    effects: [
      { type: 'closeTransport', transport: peer.send },
      { type: 'closeTransport', transport: peer.recv },
    ],
  }
  const quieter = andThen(closing, (next) => onSpeech(next, { type: 'left', peer: peer.id }, now))
  return andThen(quieter, (next) => followDemand(next, [...peer.consumers.keys()], now))
}

function onProducerOpened(
  state: Room,
  peer: Peer,
  event: Extract<RoomEvent, { type: 'producerOpened' }>,
  now: Millis,
): RoomStep {
  const { source, paused, layers, mid } = event
  const old = [...peer.producers.values()].find((producer) => producer.source === source)
  const cleared: RoomStep = old === undefined ? stay(state) : closeProducer(state, peer, old)
  const producer: Producer = {
    id: event.producer,
    source,
    paused,
    layers,
    demand: newDemand(layers),
    ...(mid !== undefined && { mid }),
  }
  return andThen(cleared, (next) => {
    const owner = next.peers.get(peer.id) ?? peer
    return followDemand(withPeer(next, withProducer(owner, producer)), [producer.id], now)
  })
}

function closeProducer(state: Room, peer: Peer, { id }: Producer): RoomStep {
  const producers = new Map(peer.producers)
  producers.delete(id)
  return {
    state: withoutConsumersOf(withPeer(state, { ...peer, producers }), id),
    effects: [{ type: 'closeProducer', producer: id }],
  }
}

function onConsumerOpened(
  state: Room,
  peer: Peer,
  { producer, publisher, allotment }: Extract<RoomEvent, { type: 'consumerOpened' }>,
  now: Millis,
): RoomStep {
  const old = peer.consumers.get(producer)
  const consumer: Consumer = {
    id: allotment.consumer,
    producer,
    publisher,
    resumed: false,
    tile: undefined,
    allotment,
    current: undefined,
    told: undefined,
    starvedAt: undefined,
  }
  const opened: RoomStep = {
    state: withPeer(state, withConsumer(peer, consumer)),
    effects: [
      ...(old === undefined ? [] : [{ type: 'closeConsumer', consumer: old.id } as const]),
      { type: 'setPriority', consumer: consumer.id, priority: allotment.priority },
    ],
  }
  return andThen(opened, (next) => followDemand(next, [producer], now))
}

function onConsumerResumed(state: Room, peer: Peer, id: ConsumerId, now: Millis): RoomStep {
  const consumer = consumerOf(peer, id)
  if (consumer === undefined || consumer.resumed) return stay(state)
  const resumed = withPeer(state, withConsumer(peer, { ...consumer, resumed: true }))
  const step: RoomStep = consumer.allotment.paused
    ? stay(resumed)
    : { state: resumed, effects: [{ type: 'resumeConsumer', consumer: id }] }
  return andThen(step, (next) => reportLayers(next, peer.id, now))
}

function onHeld(state: Room, peer: Peer, held: boolean, now: Millis): RoomStep {
  if (peer.held === held) return stay(state)
  const allotted = allotPeer(withPeer(state, { ...peer, held }), peer.id)
  const reported = andThen(allotted, (next) => reportLayers(next, peer.id, now))
  return andThen(reported, (next) => followDemand(next, [...peer.consumers.keys()], now))
}

function onViews(state: Room, peer: Peer, views: readonly StreamView[], now: Millis): RoomStep {
  let changed = peer
  const touched: ProducerId[] = []
  for (const view of views) {
    const consumer = consumerOf(changed, view.consumer)
    // The stream may have ended while the view was on its way.
    if (consumer === undefined) continue
    touched.push(consumer.producer)
    changed = withConsumer(changed, { ...consumer, tile: tileOf(view) })
  }
  const allotted = allotPeer(withPeer(state, changed), peer.id)
  const reported = andThen(allotted, (next) => reportLayers(next, peer.id, now))
  return andThen(reported, (next) => followDemand(next, touched, now))
}

function onSpeech(state: Room, event: SpeakerEvent, now: Millis): RoomStep {
  const next = speakers(state.speakers, event, now)
  if (next === state.speakers) return stay(state)
  const changed = { ...state, speakers: next }
  if (next.speaking === state.speakers.speaking) return stay(changed)
  const told: RoomStep = {
    state: changed,
    effects: [{ type: 'tell', event: speakerEvent(changed) }],
  }
  return andThen(told, allotAll)
}

function onTick(state: Room, now: Millis): RoomStep {
  const spoken = onSpeech(state, { type: 'tick' }, now)
  const producers = [...state.peers.values()].flatMap((peer) => [...peer.producers.keys()])
  let step = andThen(spoken, (next) => followDemand(next, producers, now))
  for (const peer of state.peers.values()) {
    if (hasStarved(peer, now)) step = andThen(step, (next) => reportLayers(next, peer.id, now))
  }
  return step
}

function andThen(step: RoomStep, next: (state: Room) => RoomStep): RoomStep {
  const then = next(step.state)
  return { state: then.state, effects: [...step.effects, ...then.effects] }
}

function withProducer(peer: Peer, producer: Producer): Peer {
  return { ...peer, producers: new Map(peer.producers).set(producer.id, producer) }
}

function withoutConsumersOf(state: Room, producer: ProducerId): Room {
  const peers = new Map(state.peers)
  for (const peer of state.peers.values()) {
    if (!peer.consumers.has(producer)) continue
    const consumers = new Map(peer.consumers)
    consumers.delete(producer)
    peers.set(peer.id, { ...peer, consumers })
  }
  return { ...state, peers }
}
