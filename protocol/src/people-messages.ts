import { z } from 'zod'
import { callIdSchema, participantIdSchema, userIdSchema } from './ids.ts'
import { limits } from './limits.ts'
import { callMediaSchema } from './media.ts'

/** How a person can be reached. `away`: connected, but not at the device. */
export const presenceStatusSchema = z.enum(['online', 'away', 'in-call', 'offline'])
export type PresenceStatus = z.infer<typeof presenceStatusSchema>

export const presenceSchema = z.object({
  user: userIdSchema,
  status: presenceStatusSchema,
  /** When an absent person was last there (ms since the epoch), where that is known. */
  lastSeen: z.number().optional(),
})
export type Presence = z.infer<typeof presenceSchema>

/** Opaque bytes as base64url; what is in them is between the people. */
const opaque = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[A-Za-z0-9_-]*$/, 'base64url only')

export const payloadSchema = opaque(limits.payloadLength)

/** Why nobody took the call. */
export const missedReasonSchema = z.enum(['no-answer', 'cancelled', 'busy', 'unreachable'])
export type MissedReason = z.infer<typeof missedReasonSchema>

/** A call that waits in the mailbox until each device of its user has seen it. */
export const missedCallSchema = z.object({
  /** Rises from one missed call of a user to the next; what `mailbox.ack` names. */
  seq: z.int().min(1),
  call: callIdSchema,
  from: userIdSchema,
  media: callMediaSchema,
  reason: missedReasonSchema,
  /** When it was missed, ms since the epoch. */
  at: z.number(),
  payload: payloadSchema.optional(),
})
export type MissedCall = z.infer<typeof missedCallSchema>

/** What a browser's `PushSubscription.toJSON()` gives. */
export const pushSubscriptionSchema = z.object({
  endpoint: z.url().max(limits.pushEndpointLength),
  keys: z.object({
    p256dh: z.string().regex(/^[A-Za-z0-9_-]{86,88}=?$/, 'a P-256 point as base64url'),
    auth: z.string().regex(/^[A-Za-z0-9_-]{22}={0,2}$/, '16 bytes as base64url'),
  }),
})
export type PushSubscriptionData = z.infer<typeof pushSubscriptionSchema>

/**
 * What goes from device to device through signaling: as it is, or, in a call with keys of its own, sealed
 * for the members of its group. `generation` says which group of the call.
 */
export const callMessageSchema = z.union([
  z.object({ text: z.string().max(limits.messageLength) }),
  z.object({ bytes: opaque(limits.messageLength) }),
  z.object({ sealed: opaque(limits.sealedMessageLength).min(1), generation: z.int().min(0) }),
])
export type CallMessage = z.infer<typeof callMessageSchema>

const nothing = z.object({})
const inCall = z.object({ call: callIdSchema })
const watched = z.array(userIdSchema).min(1).max(limits.presenceUsers)

/** Requests about people: who is there, who was missed, and what they tell each other in a call. */
export const peopleRequests = {
  /**
   * Who is there; changes follow as `presence` events. The newest list counts. Without a list: all
   * whom this user may watch.
   */
  'presence.subscribe': {
    data: z.object({ users: watched.optional() }),
    result: z.object({
      users: z.array(presenceSchema),
      /** Those of the list whom this user may not watch. */
      refused: z.array(userIdSchema),
    }),
  },
  'presence.unsubscribe': { data: nothing, result: nothing },
  /** What this device tells of its person. `invisible` hides him on all his devices. */
  'presence.set': {
    data: z.object({ status: z.enum(['online', 'away', 'invisible']) }),
    result: nothing,
  },

  /** The server's VAPID key for `PushManager.subscribe`; `null` where Web Push is off. */
  'push.key': { data: nothing, result: z.object({ key: z.string().nullable() }) },
  /** Where this device is woken; one for each device. */
  'push.subscribe': { data: pushSubscriptionSchema, result: nothing },
  'push.unsubscribe': { data: nothing, result: nothing },

  /** This device has seen its missed calls up to `seq`, and needs them no more. */
  'mailbox.ack': { data: z.object({ seq: z.int().min(1) }), result: nothing },

  /** To everybody else in the call, or to one of them. */
  'call.send': {
    data: inCall.extend({ to: participantIdSchema.optional(), message: callMessageSchema }),
    result: nothing,
  },
  'call.react': {
    data: inCall.extend({ reaction: z.string().min(1).max(limits.reactionLength) }),
    result: nothing,
  },
  'call.hand': { data: inCall.extend({ raised: z.boolean() }), result: nothing },
} as const satisfies Readonly<Record<string, { data: z.ZodType; result: z.ZodType }>>

export const peopleEvents = {
  presence: z.object({ users: z.array(presenceSchema) }),
  /** Oldest first. Said again to each connection until it is acknowledged. */
  'mailbox.missed': z.object({ missed: z.array(missedCallSchema) }),
  'call.message': z.object({
    call: callIdSchema,
    from: participantIdSchema,
    /** It went to this device only. */
    direct: z.boolean(),
    message: callMessageSchema,
  }),
  'call.reaction': z.object({
    call: callIdSchema,
    from: participantIdSchema,
    reaction: z.string(),
  }),
} as const satisfies Readonly<Record<string, z.ZodType>>
