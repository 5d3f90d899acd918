import type { ParticipantId, ProducerId, Result, TransportId } from '@parley/protocol'
import { fail, ok } from '@parley/protocol'
import { publisherOf } from './room.ts'
import type { Peer, Producer, Room } from './room.ts'

/** An order about a thing that does not exist; `field` names it. */
export function missing(field: 'call' | 'peer' | 'transport' | 'producer' | 'consumer') {
  const what = field === 'call' ? 'room for this call and epoch' : field
  return fail('media-order', { message: `There is no such ${what} here.`, field: `data.${field}` })
}

/** The peer `id`, or `media-order`. */
export function findPeer(room: Room, id: ParticipantId): Result<Peer> {
  const peer = room.peers.get(id)
  return peer === undefined ? missing('peer') : ok(peer)
}

/** Checks that `transport` belongs to the peer. */
export function checkTransport(peer: Peer, transport: TransportId): Result<TransportId> {
  return transport === peer.send || transport === peer.recv ? ok(transport) : missing('transport')
}

/** Checks that `transport` is the one that the peer sends on. */
export function checkSending(peer: Peer, transport: TransportId): Result<TransportId> {
  if (transport === peer.send) return ok(transport)
  if (transport !== peer.recv) return missing('transport')
  return fail('media-order', {
    message: 'Streams are sent on the send transport.',
    field: 'data.transport',
  })
}

/** The peer's stream of this source in this media section: the one that was asked for, asked again. */
export function findSame(
  peer: Peer,
  { source, mid }: Pick<Producer, 'source'> & { readonly mid: string | undefined },
): ProducerId | undefined {
  if (mid === undefined) return undefined
  return [...peer.producers.values()].find((one) => one.source === source && one.mid === mid)?.id
}

/** The peer's own stream `id`, or `media-order`. */
export function findOwnProducer(peer: Peer, id: ProducerId): Result<Producer> {
  const producer = peer.producers.get(id)
  return producer === undefined ? missing('producer') : ok(producer)
}

/** Anybody's stream `id` with its publisher, or `media-order`. */
export function findProducer(
  room: Room,
  id: ProducerId,
): Result<{ readonly publisher: Peer; readonly producer: Producer }> {
  const publisher = publisherOf(room, id)
  const producer = publisher?.producers.get(id)
  if (publisher === undefined || producer === undefined) return missing('producer')
  return ok({ publisher, producer })
}
