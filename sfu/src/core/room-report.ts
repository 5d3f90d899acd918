import type { NodeEvent, ParticipantId } from '@parley/protocol'
import { kindOfSource } from '@parley/protocol'
import { demandReason } from './demand.ts'
import type { Consumer, LayerReport, Peer, Producer, Room } from './room.ts'

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
  const ofPeers = [...room.peers.values()].flatMap((peer) => peerEvents(room, peer))
  return [speakerEvent(room), ...ofPeers]
}

/** All that holds for one peer. */
export function peerEvents(room: Room, peer: Peer): readonly NodeEvent[] {
  const demands = [...peer.producers.values()]
    .filter(({ source }) => kindOfSource[source] === 'video')
    .map((producer) => demandEvent(room, peer.id, producer))
  const layers = [...peer.consumers.values()].flatMap(({ id, told }) =>
    told === undefined ? [] : [layerEvent(room, peer.id, { id, told })],
  )
  return [...demands, ...layers]
}
