import { z } from 'zod'
import { consumerIdSchema, producerIdSchema, transportIdSchema } from './ids.ts'
import { limits } from './limits.ts'

export const mediaKindSchema = z.enum(['audio', 'video'])
export type MediaKind = z.infer<typeof mediaKindSchema>

/** Where a track comes from; one track of each per participant. */
export const trackSourceSchema = z.enum(['microphone', 'camera', 'screen', 'screen-audio'])
export type TrackSource = z.infer<typeof trackSourceSchema>

/** The kind that each source has. */
export const kindOfSource = {
  microphone: 'audio',
  camera: 'video',
  screen: 'video',
  'screen-audio': 'audio',
} as const satisfies Readonly<Record<TrackSource, MediaKind>>

/** What a caller offers or an answerer brings at the start. */
export const callMediaSchema = z.object({ audio: z.boolean(), video: z.boolean() })
export type CallMedia = z.infer<typeof callMediaSchema>

/**
 * RTP and DTLS parameters travel as mediasoup-client makes them (ORTC). Their inside is checked by
 * mediasoup; here only that they are objects, as the message limit bounds their size.
 */
const ortcObject = z.looseObject({})
export const rtpCapabilitiesSchema = ortcObject
export const rtpParametersSchema = ortcObject
export const dtlsParametersSchema = ortcObject
export const iceParametersSchema = ortcObject

/** What a client needs to connect one transport to a node. */
export const transportInfoSchema = z.object({
  id: transportIdSchema,
  iceParameters: iceParametersSchema,
  iceCandidates: z.array(ortcObject),
  dtlsParameters: dtlsParametersSchema,
})
export type TransportInfo = z.infer<typeof transportInfoSchema>

/** What a node answers when a participant opens its media. */
export const mediaSessionSchema = z.object({
  rtpCapabilities: rtpCapabilitiesSchema,
  send: transportInfoSchema,
  recv: transportInfoSchema,
})
export type MediaSession = z.infer<typeof mediaSessionSchema>

/** What a receiver needs to take a stream. It starts paused, so that no key frame is wasted. */
export const consumerInfoSchema = z.object({
  consumer: consumerIdSchema,
  producer: producerIdSchema,
  kind: mediaKindSchema,
  rtpParameters: rtpParametersSchema,
})
export type ConsumerInfo = z.infer<typeof consumerInfoSchema>

/** How large a stream is shown, in device pixels; `visible: false` pauses it. */
export const streamViewSchema = z.object({
  consumer: consumerIdSchema,
  width: z.int().min(0).max(16_384),
  height: z.int().min(0).max(16_384),
  visible: z.boolean(),
})
export type StreamView = z.infer<typeof streamViewSchema>

export const streamViewsSchema = z.array(streamViewSchema).max(limits.viewsPerMessage)

/** Why less than the best is sent or received. */
export const layerReasonSchema = z.enum([
  /** All layers that exist are in use. */
  'full',
  /** The tile is small: a higher layer would be thrown away. */
  'tile-size',
  /** The tile is hidden, or nobody watches. */
  'not-watched',
  /** The estimated bandwidth carries no more. */
  'bandwidth',
])
export type LayerReason = z.infer<typeof layerReasonSchema>
