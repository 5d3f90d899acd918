import type { NodeRequestData, NodeRequestResult, NodeRequestType, Result } from '@parley/protocol'
import { fail, limits, ok } from '@parley/protocol'
import {
  checkSending,
  checkTransport,
  findOwnProducer,
  findPeer,
  findProducer,
  findSame,
  missing,
} from './core/lookup.ts'
import { openingAllotment } from './core/room-layers.ts'
import type { RoomEvent } from './core/room-machine.ts'
import { consumerOf, roomKey } from './core/room.ts'
import type { Room } from './core/room.ts'
import type { MediaEngine } from './ports.ts'

/** Orders about what is in a room; opening and closing the room itself is the hub's. */
export type RoomOrderType = Exclude<NodeRequestType, 'room.open' | 'room.close'>

/** A running room, as an order sees it. */
export interface Desk {
  readonly engine: MediaEngine
  /** The newest state; undefined once the room is gone, which can happen at any `await`. */
  room(): Room | undefined
  apply(event: RoomEvent): void
}

type MaybePromise<T> = T | Promise<T>

type Handlers = {
  readonly [T in RoomOrderType]: (
    desk: Desk,
    data: NodeRequestData<T>,
    room: Room,
  ) => MaybePromise<Result<NodeRequestResult<T>>>
}

const done = ok({})

/** Carries out an order in a room: checks it, has the worker do it, and books what was done. */
export async function carryOut<T extends RoomOrderType>(
  desk: Desk,
  type: T,
  data: NodeRequestData<T>,
): Promise<Result<NodeRequestResult<T>>> {
  const room = desk.room()
  return room === undefined ? missing('call') : await handlers[type](desk, data, room)
}

const handlers: Handlers = {
  'room.adopt'(_desk, _data, room) {
    const publications = [...room.peers.values()].flatMap(({ id: peer, producers }) =>
      [...producers.values()].map(({ id: producer, source, paused }) => ({
        peer,
        producer,
        source,
        paused,
      })),
    )
    return ok({ publications })
  },

  async 'peer.open'(desk, { peer }, room) {
    const { participantsPerCall: limit } = limits
    if (!room.peers.has(peer) && room.peers.size >= limit) return fail('call-full', { limit })
    const key = roomKey(room)
    const [send, recv] = await Promise.all([
      desk.engine.openTransport(key),
      desk.engine.openTransport(key),
    ])
    if (!send.ok || !recv.ok || desk.room() === undefined) {
      for (const one of [send, recv]) if (one.ok) desk.engine.closeTransport(one.data.id)
      return send.ok ? (recv.ok ? lost() : recv) : send
    }
    desk.apply({ type: 'peerOpened', peer, send: send.data.id, recv: recv.data.id })
    const { rtpCapabilities } = room
    return ok({ rtpCapabilities, send: send.data, recv: recv.data })
  },

  'peer.capabilities'(desk, { peer, rtpCapabilities }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const capabilities = desk.engine.checkCapabilities(rtpCapabilities)
    if (!capabilities.ok) return capabilities
    desk.apply({ type: 'capabilitiesSet', peer, capabilities: capabilities.data })
    return done
  },

  'peer.close'(desk, { peer }) {
    desk.apply({ type: 'peerClosed', peer })
    return done
  },

  async 'peer.hold'(desk, { peer, on }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const { engine } = desk
    desk.apply({ type: 'peerHeld', peer, on })
    for (const { id, paused } of found.data.producers.values()) {
      if (!paused) await (on ? engine.pauseProducer(id) : engine.resumeProducer(id))
    }
    return done
  },

  'peer.report'(desk, { peer }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    desk.apply({ type: 'reportAsked', peer })
    return done
  },

  'peer.view'(desk, { peer, views }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    desk.apply({ type: 'viewsChanged', peer, views })
    return done
  },

  async 'transport.connect'(desk, { peer, transport, dtlsParameters }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const checked = checkTransport(found.data, transport)
    if (!checked.ok) return checked
    // Whoever asks again has missed the answer, as when a signaling process died with it.
    if (found.data.connected.includes(transport)) return done
    const connected = await desk.engine.connectTransport(transport, dtlsParameters)
    if (!connected.ok) return connected
    desk.apply({ type: 'transportConnected', peer, transport })
    return done
  },

  async 'transport.restart-ice'(desk, { peer, transport }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const checked = checkTransport(found.data, transport)
    if (!checked.ok) return checked
    const restarted = await desk.engine.restartIce(transport)
    return restarted.ok ? ok({ iceParameters: restarted.data }) : restarted
  },

  async 'producer.open'(desk, { peer, transport, source, rtpParameters, paused }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const checked = checkSending(found.data, transport)
    if (!checked.ok) return checked
    const mid = typeof rtpParameters['mid'] === 'string' ? rtpParameters['mid'] : undefined
    const same = findSame(found.data, { source, mid })
    if (same !== undefined) return ok({ producer: same })
    const silent = paused || found.data.held
    const spec = { source, rtpParameters, paused: silent }
    const opened = await desk.engine.openProducer(transport, spec)
    if (!opened.ok) return opened
    if (desk.room() === undefined) return lost()
    const { producer, layers } = opened.data
    const named = mid === undefined ? {} : { mid }
    desk.apply({ type: 'producerOpened', peer, producer, source, paused, layers, ...named })
    return ok({ producer })
  },

  async 'producer.pause'(desk, { peer, producer, paused }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const own = findOwnProducer(found.data, producer)
    if (!own.ok) return own
    const { engine } = desk
    const changed = await (paused || found.data.held
      ? engine.pauseProducer(producer)
      : engine.resumeProducer(producer))
    if (!changed.ok) return changed
    desk.apply({ type: 'producerPaused', peer, producer, paused })
    return done
  },

  'producer.close'(desk, { peer, producer }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const own = findOwnProducer(found.data, producer)
    if (!own.ok) return own
    desk.apply({ type: 'producerClosed', peer, producer })
    return done
  },

  async 'consumer.open'(desk, { peer, producer }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    const { recv, capabilities } = found.data
    const taken = findProducer(room, producer)
    if (!taken.ok) return taken
    if (capabilities === undefined) {
      return fail('media-order', {
        message: 'peer.capabilities must come before consumer.open.',
        field: 'data.peer',
      })
    }
    const { publisher } = taken.data
    const layers = openingAllotment(room, found.data, taken.data)
    const opened = await desk.engine.openConsumer(recv, { peer, producer, capabilities, layers })
    if (!opened.ok) return opened
    if (desk.room() === undefined) return lost()
    const allotment = { ...layers, consumer: opened.data.consumer }
    desk.apply({ type: 'consumerOpened', peer, producer, publisher: publisher.id, allotment })
    return opened
  },

  'consumer.resume'(desk, { peer, consumer }, room) {
    const found = findPeer(room, peer)
    if (!found.ok) return found
    if (consumerOf(found.data, consumer) === undefined) return missing('consumer')
    desk.apply({ type: 'consumerResumed', peer, consumer })
    return done
  },
}

/** The room's worker died, or the room was closed, while the order was under way. */
function lost() {
  return fail('no-media-node', { message: 'The room was lost while the order was under way.' })
}
