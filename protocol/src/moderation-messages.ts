import { z } from 'zod'
import { callViewSchema } from './call-view.ts'
import { callIdSchema, participantIdSchema, roomNameSchema, userIdSchema } from './ids.ts'
import { trackSourceSchema } from './media.ts'

const nothing = z.object({})
const inCall = z.object({ call: callIdSchema })
const ofParticipant = inCall.extend({ participant: participantIdSchema })
const ofUser = inCall.extend({ user: userIdSchema })
const sources = z.array(trackSourceSchema).min(1).max(trackSourceSchema.options.length)

/** In place of a seat: the device waits to be let in, and sees nothing of the call until then. */
export const waitingSchema = z.object({
  waiting: z.object({ call: callIdSchema, room: roomNameSchema.optional() }),
})

/** Requests of moderators. */
export const moderationRequests = {
  /**
   * Asks somebody to switch sources off, which his app may follow. `force`: they are off, also against
   * his will, until `call.unmute`.
   */
  'call.mute': {
    data: ofParticipant.extend({ sources, force: z.boolean().optional() }),
    result: nothing,
  },
  /** Lets somebody send again what was switched off; he does so himself. */
  'call.unmute': { data: ofParticipant.extend({ sources }), result: nothing },
  /** Ends the call for a user, who cannot come back without being let in. */
  'call.remove': { data: ofParticipant, result: nothing },
  /** Nobody new comes in. */
  'call.lock': { data: inCall, result: nothing },
  'call.unlock': { data: inCall, result: nothing },
  /** Whether newcomers wait to be let in. `false` lets in who waits. */
  'call.lobby': { data: inCall.extend({ on: z.boolean() }), result: nothing },
  'call.admit': { data: ofUser, result: nothing },
  'call.deny': { data: ofUser, result: nothing },
  /** Makes a participant's user a moderator of this call. */
  'call.promote': { data: ofParticipant, result: nothing },
  'call.demote': { data: ofParticipant, result: nothing },
} as const satisfies Readonly<Record<string, { data: z.ZodType; result: z.ZodType }>>

export const moderationEvents = {
  /** A moderator asks to switch these off. */
  'call.mute-requested': inCall.extend({ sources: z.array(trackSourceSchema), by: userIdSchema }),
  /** The device waits no longer: this is its seat. */
  'call.admitted': z.object({ call: callViewSchema, participant: participantIdSchema }),
} as const satisfies Readonly<Record<string, z.ZodType>>
