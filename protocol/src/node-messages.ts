import { z } from 'zod'
import type { Result } from './errors.ts'
import {
  callIdSchema,
  consumerIdSchema,
  participantIdSchema,
  producerIdSchema,
  transportIdSchema,
} from './ids.ts'
import {
  consumerInfoSchema,
  dtlsParametersSchema,
  iceParametersSchema,
  layerReasonSchema,
  mediaSessionSchema,
  rtpCapabilitiesSchema,
  rtpParametersSchema,
  streamViewsSchema,
  trackSourceSchema,
} from './media.ts'

const nothing = z.object({})

/**
 * A node's room is one epoch of one call, so that media of a dead worker or an aborted switch never
 * meets that of its successor. A peer is a participant; the node knows neither users nor tokens.
 */
const inRoom = z.object({
  call: callIdSchema,
  epoch: z.int().min(1),
  /** Of several signaling processes: grows with each that the call goes to. */
  fence: z.number().min(0).optional(),
})
const ofPeer = inRoom.extend({ peer: participantIdSchema })

/** Every order to an SFU node: its data, and the data of a successful answer. */
export const nodeRequests = {
  /** Opens a room on one of the node's workers; opening it again is nothing new. */
  'room.open': { data: inRoom, result: nothing },
  /**
   * Takes over a room that an earlier signaling process opened. Answers who is in it and what they
   * publish; `media-order` where there is no such room.
   */
  'room.adopt': {
    data: inRoom,
    result: z.object({
      publications: z.array(
        z.object({
          peer: participantIdSchema,
          producer: producerIdSchema,
          source: trackSourceSchema,
          paused: z.boolean(),
        }),
      ),
    }),
  },
  'room.close': { data: inRoom, result: nothing },
  'peer.open': { data: ofPeer, result: mediaSessionSchema },
  'peer.capabilities': {
    data: ofPeer.extend({ rtpCapabilities: rtpCapabilitiesSchema }),
    result: nothing,
  },
  'peer.close': { data: ofPeer, result: nothing },
  /** Tells again, by `demand` and `layer`, how things stand for a peer that may have missed it. */
  'peer.report': { data: ofPeer, result: nothing },
  /** A peer that holds its call is sent nothing and forwarded nothing, until it takes it up again. */
  'peer.hold': { data: ofPeer.extend({ on: z.boolean() }), result: nothing },
  'peer.view': { data: ofPeer.extend({ views: streamViewsSchema }), result: nothing },
  'transport.connect': {
    data: ofPeer.extend({ transport: transportIdSchema, dtlsParameters: dtlsParametersSchema }),
    result: nothing,
  },
  'transport.restart-ice': {
    data: ofPeer.extend({ transport: transportIdSchema }),
    result: z.object({ iceParameters: iceParametersSchema }),
  },
  'producer.open': {
    data: ofPeer.extend({
      transport: transportIdSchema,
      source: trackSourceSchema,
      rtpParameters: rtpParametersSchema,
      paused: z.boolean(),
    }),
    result: z.object({ producer: producerIdSchema }),
  },
  'producer.pause': {
    data: ofPeer.extend({ producer: producerIdSchema, paused: z.boolean() }),
    result: nothing,
  },
  'producer.close': { data: ofPeer.extend({ producer: producerIdSchema }), result: nothing },
  'consumer.open': {
    data: ofPeer.extend({ producer: producerIdSchema }),
    result: consumerInfoSchema,
  },
  'consumer.resume': { data: ofPeer.extend({ consumer: consumerIdSchema }), result: nothing },
} as const satisfies Readonly<Record<string, { data: z.ZodType; result: z.ZodType }>>

export type NodeRequestType = keyof typeof nodeRequests
export type NodeRequestData<T extends NodeRequestType> = z.infer<(typeof nodeRequests)[T]['data']>
export type NodeRequestResult<T extends NodeRequestType> = z.infer<
  (typeof nodeRequests)[T]['result']
>

/** What a node tells of itself, about once a second. */
export const nodeLoadSchema = z.object({
  /** Busiest worker's CPU, 0 to 1. */
  cpu: z.number().min(0),
  rooms: z.int().min(0),
  peers: z.int().min(0),
  workers: z.int().min(0),
})
export type NodeLoad = z.infer<typeof nodeLoadSchema>

/** Every event of a node. */
export const nodeEvents = {
  load: nodeLoadSchema,
  /** The room's worker died: its media is gone, its people need a new epoch. */
  'room.lost': inRoom,
  speaker: inRoom.extend({ peer: participantIdSchema.nullable() }),
  demand: ofPeer.extend({
    producer: producerIdSchema,
    maxSpatialLayer: z.int().min(-1).max(2),
    reason: layerReasonSchema,
  }),
  layer: ofPeer.extend({
    consumer: consumerIdSchema,
    spatialLayer: z.int().min(0).max(2).nullable(),
    reason: layerReasonSchema,
  }),
} as const satisfies Readonly<Record<string, z.ZodType>>

export type NodeEventType = keyof typeof nodeEvents
export type NodeEvent = {
  [T in NodeEventType]: { readonly type: T; readonly data: z.infer<(typeof nodeEvents)[T]> }
}[NodeEventType]

/**
 * An SFU node as signaling sees it: in the same process or behind a control link, the same calls.
 * `request` never rejects; a node that is away answers `no-media-node`.
 */
export interface SfuNode {
  readonly id: string
  request<T extends NodeRequestType>(
    type: T,
    data: NodeRequestData<T>,
  ): Promise<Result<NodeRequestResult<T>>>
  /** Sets the one listener for the node's events. */
  onEvent(listener: (event: NodeEvent) => void): void
}
