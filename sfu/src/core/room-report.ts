import type { NodeEvent, ParticipantId } from '@parley/protocol'
import { kindOfSource } from '@parley/protocol'
import { demandReason } from './demand.ts'
import type { Consumer, LayerReport, Producer, Room } from './room.ts'

/** Who speaks now. */
export function speakerEvent({ call, epoch, speakers }: Room): NodeEvent {
  return { type: 'speaker', data: { call, epoch, peer: speakers.speaking ?? null } }
}

/** What a publisher is asked to send of a stream. */
export function demandEvent(room: Room, peer: ParticipantId, producer: Producer): NodeEvent {
  const { call, epoch } = room
  const { id, layers, demand } = producer
  const reason = demandReason(demand.layer, layers)
  return {
    type: 'demand',
    data: { call, epoch, peer, producer: id, maxSpatialLayer: demand.layer, reason },
  }
}

/** What a subscriber gets of a stream. */
export function layerEvent(
  { call, epoch }: Room,
  peer: ParticipantId,
  { id, told }: { readonly id: Consumer['id']; readonly told: LayerReport },
): NodeEvent {
  return { type: 'layer', data: { call, epoch, peer, consumer: id, ...told } }
}

/** All that holds in a room, for a controller that may have missed how it came about. */
export function standingEvents(room: Room): readonly NodeEvent[] {
  const events = [speakerEvent(room)]
  for (const peer of room.peers.values()) {
    for (const producer of peer.producers.values()) {
      if (kindOfSource[producer.source] === 'video') {
        events.push(demandEvent(room, peer.id, producer))
      }
    }
    for (const { id, told } of peer.consumers.values()) {
      if (told !== undefined) events.push(layerEvent(room, peer.id, { id, told }))
    }
  }
  return events
}
