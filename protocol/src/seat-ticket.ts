import { z } from 'zod'
import { sendingSchema, topologyViewSchema } from './call-view.ts'
import {
  callIdSchema,
  deviceIdSchema,
  participantIdSchema,
  roomNameSchema,
  userIdSchema,
} from './ids.ts'
import type { Millis, ParticipantId } from './ids.ts'
import { limits } from './limits.ts'
import { trackSourceSchema } from './media.ts'
import type { RememberedCall } from './restore-call.ts'

const seatSchema = z.object({
  id: participantIdSchema,
  user: userIdSchema,
  device: deviceIdSchema,
  sending: sendingSchema,
  onHold: z.boolean(),
  replaces: participantIdSchema.optional(),
})

const open = { locked: false, lobby: false, encrypted: false }
const people = z.array(userIdSchema).max(limits.policyPeople)

const policySchema = z.object({
  locked: z.boolean(),
  lobby: z.boolean(),
  // Tickets of before there was a choice are of calls that were not.
  encrypted: z.boolean().default(false),
  moderators: people,
  removed: people,
  silenced: z
    .array(z.object({ user: userIdSchema, sources: z.array(trackSourceSchema) }))
    .max(limits.policyPeople),
})

/** What is inside a ticket, once its seal is off. */
export const seatTicketSchema = z.object({
  /** Whose ticket it is: one of the seats. */
  seat: participantIdSchema,
  issuer: z.string().min(1).max(limits.idLength),
  issuedAt: z.int().min(0),
  call: z.object({
    id: callIdSchema,
    room: roomNameSchema.optional(),
    startedBy: userIdSchema,
    sfuOnly: z.boolean(),
    answered: z.boolean(),
    seats: z.array(seatSchema).min(1).max(limits.participantsPerCall),
    topology: topologyViewSchema,
    pinned: z.boolean().default(false),
    // A ticket of before there was any is one of a call that was open to all.
    policy: policySchema.default({ ...open, moderators: [], removed: [], silenced: [] }),
  }),
  /** On which SFU node the rooms of the open epochs are. */
  nodes: z.array(z.object({ epoch: z.int().min(1), node: z.string().min(1).max(256) })).max(2),
})

/** The SFU node of one epoch of a call. */
export interface EpochNode {
  readonly epoch: number
  readonly node: string
}

/**
 * What a seat's device keeps for the server: the call as it stood, and which seat is the device's.
 * Among the tickets of a call the newest tells the truth.
 */
export interface SeatTicket {
  readonly seat: ParticipantId
  /** The signaling process that wrote it. */
  readonly issuer: string
  readonly issuedAt: Millis
  readonly call: RememberedCall
  readonly nodes: readonly EpochNode[]
}
