import { z } from 'zod'
import { callViewSchema, endReasonSchema, inviteViewSchema, sendingSchema } from './call-view.ts'
import { grantsSchema } from './grants.ts'
import {
  callIdSchema,
  consumerIdSchema,
  deviceIdSchema,
  participantIdSchema,
  producerIdSchema,
  roomNameSchema,
  sessionIdSchema,
  transportIdSchema,
  userIdSchema,
} from './ids.ts'
import { limits } from './limits.ts'
import {
  callMediaSchema,
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
import { mlsEvents, mlsRequests } from './mls-messages.ts'
import { moderationEvents, moderationRequests, waitingSchema } from './moderation-messages.ts'
import { payloadSchema, peopleEvents, peopleRequests } from './people-messages.ts'

/** An `RTCIceServer`, as browsers take it. */
export const iceServerSchema = z.object({
  urls: z.array(z.string()),
  username: z.string().optional(),
  credential: z.string().optional(),
})
export type IceServer = z.infer<typeof iceServerSchema>

/** STUN and TURN servers with credentials that hold until `expiresAt` (ms since the epoch). */
export const iceConfigSchema = z.object({
  iceServers: z.array(iceServerSchema),
  expiresAt: z.number(),
})
export type IceConfig = z.infer<typeof iceConfigSchema>

/** One step of perfect negotiation between two devices (W3C WebRTC §10.7); opaque to the server. */
export const peerSignalSchema = z.union([
  z.object({
    description: z.object({
      type: z.enum(['offer', 'answer', 'rollback', 'pranswer']),
      sdp: z.string().max(limits.sdpLength),
    }),
    /** Which source each media section carries: mid → source. */
    sources: z.record(z.string().max(16), trackSourceSchema),
    /** Number of the offer, by its maker; its answer repeats it, so that a late one is known as such. */
    round: z.int().min(1),
    /** The device's signature over both ends and the certificate; see `docs/protocol/keys.md`. */
    proof: z.string().max(limits.proofLength).optional(),
  }),
  /** The offerer's signature over the answer that he has checked. */
  z.object({ confirmation: z.string().max(limits.proofLength) }),
  z.object({
    candidate: z
      .object({
        candidate: z.string().max(limits.candidateLength),
        sdpMid: z.string().max(16).nullable(),
        sdpMLineIndex: z.int().min(0).max(255).nullable(),
        usernameFragment: z.string().max(256).nullish(),
      })
      .nullable(),
  }),
])
export type PeerSignal = z.infer<typeof peerSignalSchema>

const nothing = z.object({})
/** This device encrypts end to end. A call takes those who do or those who do not, as its first one does. */
const encrypted = z.boolean().optional()
const inCall = z.object({ call: callIdSchema })
/** Media belongs to one epoch of the call's topology, so that nothing reaches a room that is over. */
const inMedia = inCall.extend({ epoch: z.int().min(1) })
/** Opaque to clients: proves that the server has given this device its seat in the call. */
const ticket = z.string().min(1).max(limits.ticketLength)
const joined = z.object({ call: callViewSchema, participant: participantIdSchema })
const entered = z.union([joined, waitingSchema])
const users = z.array(userIdSchema).min(1).max(limits.invitesPerRequest)

/** Every request of a client: its data, and the data of a successful answer. */
export const clientRequests = {
  /** STUN and TURN servers with fresh credentials. */
  'ice.get': { data: nothing, result: iceConfigSchema },
  /** Goes on with a fresh token of the same user and device; what it grants counts at once. */
  'session.refresh': {
    data: z.object({ token: z.string().min(1).max(limits.tokenLength) }),
    result: z.object({ grants: grantsSchema, expiresAt: z.number() }),
  },
  ...peopleRequests,

  /** The page goes away, perhaps to be loaded again: the session waits for less long than else. */
  'session.leaving': { data: nothing, result: nothing },

  'call.start': {
    data: inCall.extend({
      users,
      media: callMediaSchema,
      payload: payloadSchema.optional(),
      encrypted,
    }),
    result: joined,
  },
  /** `others`: what becomes of the device's other calls; they are put on hold where it is left out. */
  'call.accept': {
    data: inCall.extend({
      media: callMediaSchema,
      others: z.enum(['hold', 'end']).optional(),
      encrypted,
    }),
    result: joined,
  },
  'call.decline': { data: inCall, result: nothing },
  /** Leaves; cancels where nobody has answered yet. */
  'call.hangup': { data: inCall, result: nothing },
  'call.invite': {
    data: inCall.extend({ users, media: callMediaSchema, payload: payloadSchema.optional() }),
    result: nothing,
  },
  /** Rings somebody no longer. */
  'call.uninvite': { data: inCall.extend({ user: userIdSchema }), result: nothing },
  /**
   * Comes into a call in progress: one that another device of this user is in, or that this user was
   * asked to join. `replaces` names the seat of the other device, which is let go at `call.settle`.
   */
  'call.join': {
    data: inCall.extend({
      media: callMediaSchema,
      replaces: participantIdSchema.optional(),
      encrypted,
    }),
    result: joined,
  },
  /** The call has moved here: this device has its media, and the seat that it replaces may go. */
  'call.settle': { data: inCall, result: nothing },
  /** Puts the call on hold, or takes it up again; then the device's other calls are put on hold. */
  'call.hold': { data: inCall.extend({ on: z.boolean() }), result: nothing },
  /** Rings somebody who is to take this participant's place. */
  'call.transfer': { data: inCall.extend({ to: userIdSchema }), result: nothing },
  /** Brings the others of this call into the call `into`, and leaves both. */
  'call.merge': { data: inCall.extend({ into: callIdSchema }), result: nothing },
  /** Rings another device of this user, which is to take this one's place. */
  'call.move': { data: inCall.extend({ device: deviceIdSchema }), result: nothing },
  /** One's own other devices that are connected now: where `call.move` rings. */
  'devices.connected': { data: nothing, result: z.object({ devices: z.array(deviceIdSchema) }) },
  /** What this device does about calls: `busy` does not ring while it is in one. */
  'device.prefer': { data: z.object({ callWaiting: z.enum(['ring', 'busy']) }), result: nothing },
  /**
   * `sfu` asks that the room never goes peer to peer. `call`: only where the room is this call, as for
   * a device that waited in its lobby and asks again.
   */
  'room.join': {
    data: z.object({
      room: roomNameSchema,
      media: callMediaSchema,
      topology: z.enum(['auto', 'sfu']),
      call: callIdSchema.optional(),
      encrypted,
    }),
    result: entered,
  },
  /**
   * Takes one's seat again with the newest ticket: after a new session, a crash of the server, or a
   * lost seat. `fresh` comes from a reloaded page, or from one whose media is beyond repair: it gets
   * a seat with a new id, and negotiates its media anew.
   */
  'call.resume': {
    data: z.object({ ticket, fresh: callMediaSchema.optional() }),
    result: joined,
  },
  'call.sending': { data: inCall.extend({ sending: sendingSchema }), result: nothing },

  /** To the other device of a `p2p` path. */
  'call.signal': {
    data: inCall.extend({
      to: participantIdSchema,
      epoch: z.int().min(0),
      signal: peerSignalSchema,
    }),
    result: nothing,
  },
  /** This device receives media on the path of `epoch`. */
  'call.ready': { data: inCall.extend({ epoch: z.int().min(1) }), result: nothing },
  /** Peer to peer does not work here, or is not wanted: go through the SFU. */
  'call.escalate': { data: inCall, result: nothing },

  'sfu.open': { data: inMedia, result: mediaSessionSchema },
  /** What this device can receive; before its first `sfu.consume`. */
  'sfu.capabilities': {
    data: inMedia.extend({ rtpCapabilities: rtpCapabilitiesSchema }),
    result: nothing,
  },
  'sfu.connect': {
    data: inMedia.extend({ transport: transportIdSchema, dtlsParameters: dtlsParametersSchema }),
    result: nothing,
  },
  'sfu.restart-ice': {
    data: inMedia.extend({ transport: transportIdSchema }),
    result: z.object({ iceParameters: iceParametersSchema }),
  },
  'sfu.produce': {
    data: inMedia.extend({
      transport: transportIdSchema,
      source: trackSourceSchema,
      rtpParameters: rtpParametersSchema,
      paused: z.boolean(),
    }),
    result: z.object({ producer: producerIdSchema }),
  },
  'sfu.pause': {
    data: inMedia.extend({ producer: producerIdSchema, paused: z.boolean() }),
    result: nothing,
  },
  'sfu.unproduce': { data: inMedia.extend({ producer: producerIdSchema }), result: nothing },
  'sfu.consume': {
    data: inMedia.extend({ producer: producerIdSchema }),
    result: consumerInfoSchema,
  },
  /** The receiver is set up: let the stream flow. */
  'sfu.resume': { data: inMedia.extend({ consumer: consumerIdSchema }), result: nothing },
  /** How large each stream is shown; the node chooses layers by it. */
  'sfu.view': { data: inMedia.extend({ views: streamViewsSchema }), result: nothing },

  ...moderationRequests,
  ...mlsRequests,
} as const satisfies Readonly<Record<string, { data: z.ZodType; result: z.ZodType }>>

export type ClientRequestType = keyof typeof clientRequests
export type ClientRequestData<T extends ClientRequestType> = z.infer<
  (typeof clientRequests)[T]['data']
>
export type ClientRequestResult<T extends ClientRequestType> = z.infer<
  (typeof clientRequests)[T]['result']
>

/** The first event of every connection. */
export const welcomeSchema = z.object({
  session: sessionIdSchema,
  resumeKey: z.string(),
  user: userIdSchema,
  device: deviceIdSchema,
  /** `replayed`: the missed events follow. `new`: calls of an older session are over. */
  resumed: z.enum(['new', 'replayed', 'snapshot']),
  /** With `snapshot`: the calls that this device is in, as they stand now. */
  calls: z.array(callViewSchema),
  ice: iceConfigSchema,
  /** What the token lets this session do. */
  grants: grantsSchema,
})
export type Welcome = z.infer<typeof welcomeSchema>

/** Why the server closes a connection. */
export const sessionEndSchema = z.enum([
  'session-replaced',
  'token-expired',
  'shutting-down',
  'revoked',
  'slow-consumer',
  'rate-limited',
])
export type SessionEnd = z.infer<typeof sessionEndSchema>

/** Every event of the server. */
export const serverEvents = {
  welcome: welcomeSchema,
  ...peopleEvents,
  'call.incoming': z.object({
    call: callViewSchema,
    from: userIdSchema,
    media: callMediaSchema,
    payload: payloadSchema.optional(),
    /** Who accepts takes the place of this participant. */
    offer: inviteViewSchema.shape.offer,
  }),
  'call.updated': z.object({ call: callViewSchema }),
  /** With a seat, and whenever what the ticket names has changed: it takes the older one's place. */
  'call.ticket': z.object({ call: callIdSchema, ticket }),
  'call.ended': z.object({ call: callIdSchema, reason: endReasonSchema }),
  /** The seat in the call `from` is now one in this call; the people are the same but for one. */
  'call.transferred': z.object({
    from: callIdSchema,
    call: callViewSchema,
    participant: participantIdSchema,
  }),
  /** A call that other devices of this user are in, or that they no longer are in. */
  'call.elsewhere': z.object({ call: callViewSchema }),
  'call.signal': z.object({
    call: callIdSchema,
    from: participantIdSchema,
    epoch: z.int().min(0),
    signal: peerSignalSchema,
  }),
  /** Who speaks; `null` when nobody does. */
  'sfu.speaker': z.object({ call: callIdSchema, participant: participantIdSchema.nullable() }),
  /** To a publisher: the highest simulcast layer that anybody takes; -1 when nobody watches. */
  'sfu.demand': z.object({
    call: callIdSchema,
    producer: producerIdSchema,
    maxSpatialLayer: z.int().min(-1).max(2),
    reason: layerReasonSchema,
  }),
  /** To a subscriber: the layer that it now gets; `null` when none fits. */
  'sfu.layer': z.object({
    call: callIdSchema,
    consumer: consumerIdSchema,
    spatialLayer: z.int().min(0).max(2).nullable(),
    reason: layerReasonSchema,
  }),
  ...moderationEvents,
  ...mlsEvents,
  /** The server is about to close this connection. */
  'session.closed': z.object({
    code: sessionEndSchema,
    /** When to come back, in milliseconds from now; each client is given a time of its own. */
    retryAfterMs: z.number().min(0).optional(),
  }),
  /** The token ends at `expiresAt` (ms since the epoch): send `session.refresh` before. */
  'session.expiring': z.object({ expiresAt: z.number() }),
  /** These may not be sent (any more): switch them off. */
  'call.muted': z.object({
    call: callIdSchema,
    sources: z.array(trackSourceSchema),
    reason: z.enum(['grants', 'moderator']),
    /** The moderator. */
    by: userIdSchema.optional(),
  }),
} as const satisfies Readonly<Record<string, z.ZodType>>

export type ServerEventType = keyof typeof serverEvents
export type ServerEventData<T extends ServerEventType> = z.infer<(typeof serverEvents)[T]>
/** One event with its type, for exhaustive switches. */
export type ServerEvent = {
  [T in ServerEventType]: { readonly type: T; readonly data: ServerEventData<T> }
}[ServerEventType]
