import { z } from 'zod'
import { callIdSchema, deviceIdSchema, participantIdSchema, userIdSchema } from './ids.ts'
import { limits } from './limits.ts'

/** Bytes as base64url without padding; opaque to the server. */
const sealed = z
  .string()
  .min(1)
  .max(limits.mlsMessageLength)
  .regex(/^[A-Za-z0-9_-]+$/, 'base64url only')

const inCall = z.object({ call: callIdSchema })
/** Which group of the call: a call whose group broke beyond repair begins another. */
const generation = z.int().min(0)
const endableGeneration = generation.max(Number.MAX_SAFE_INTEGER - 1)
const epoch = z.int().min(0)
/** An epoch that a request ends or begins: there is room for one more after it. */
const endableEpoch = epoch.max(Number.MAX_SAFE_INTEGER - 1)
const inGroup = inCall.extend({ generation })
const nothing = z.object({})

/** A device that waits to be taken into the group. */
const waitingSchema = z.object({ participant: participantIdSchema, keyPackage: sealed })

/** A commit as the server has ordered it: it ends `epoch`. */
const orderedCommitSchema = z.object({
  epoch,
  from: participantIdSchema,
  commit: sealed,
})
export type OrderedCommit = z.infer<typeof orderedCommitSchema>

/** Where a call's group stands. `epoch` is null where there is none yet. */
const groupStatusSchema = z.object({
  generation,
  epoch: epoch.nullable(),
  waiting: z.array(waitingSchema),
})

/** One signed entry of a user's device list, or a card; its inside is the devices' affair. */
const listEntry = z
  .string()
  .min(1)
  .max(limits.deviceEntryLength)
  .regex(/^[A-Za-z0-9_-]+$/, 'base64url only')

/** How a device introduces itself: its keys, signed by itself. */
const deviceCardSchema = z.object({ device: deviceIdSchema, card: listEntry })
export type DeviceCard = z.infer<typeof deviceCardSchema>

/**
 * Requests of the end-to-end encryption. The server orders commits by compare-and-set on the epoch
 * and keeps what others fetch later; it can read none of it.
 */
export const mlsRequests = {
  /** Offers this device to the group. Asking again replaces the offer. */
  'mls.offer': { data: inCall.extend({ keyPackage: sealed }), result: groupStatusSchema },
  /** Begins the group where there is none, at epoch 0 or, after the server lost it, where it stands. */
  'mls.create': {
    data: inGroup.extend({
      generation: endableGeneration,
      epoch: endableEpoch,
      groupInfo: sealed,
    }),
    result: nothing,
  },
  /**
   * Ends `epoch`. The first one to arrive wins and goes to everybody, its sender included; a later
   * one is refused with `mls-stale-epoch`.
   */
  'mls.commit': {
    data: inGroup.extend({
      epoch: endableEpoch,
      commit: sealed,
      /** The group's public state after this commit. */
      groupInfo: sealed,
      /** For those whom the commit adds. */
      welcome: sealed.optional(),
      added: z.array(participantIdSchema).max(limits.participantsPerCall),
    }),
    result: nothing,
  },
  /** The commits since `epoch`, where they are still there, and the public state. */
  'mls.fetch': {
    data: inCall.extend({ since: epoch.nullable() }),
    result: z.object({
      generation,
      epoch: epoch.nullable(),
      commits: z.array(orderedCommitSchema),
      groupInfo: sealed.nullable(),
      waiting: z.array(waitingSchema),
    }),
  },
  /** A message sealed for the members of the group, to all others. */
  'mls.message': { data: inGroup.extend({ message: sealed }), result: nothing },
  /** The group cannot be mended: everybody starts another. */
  'mls.reset': { data: inGroup.extend({ generation: endableGeneration }), result: nothing },

  /** The device list of a user, as its devices have signed it, and the cards of those that have one. */
  'devices.get': {
    data: z.object({ user: userIdSchema }),
    result: z.object({ entries: z.array(listEntry), cards: z.array(deviceCardSchema) }),
  },
  /** Appends to one's own list, all or nothing, if it still has `length` entries. */
  'devices.append': {
    data: z.object({
      length: z.int().min(0).max(limits.deviceEntries),
      entries: z.array(listEntry).min(1).max(limits.deviceEntries),
    }),
    result: nothing,
  },
  /** Shows the card of this device, in place of the one before. */
  'devices.show': { data: z.object({ card: listEntry }), result: nothing },
} as const satisfies Readonly<Record<string, { data: z.ZodType; result: z.ZodType }>>

/** Events of the end-to-end encryption. */
export const mlsEvents = {
  /** A device offers itself to the group. */
  'mls.waiting': inCall.extend({ participant: participantIdSchema, keyPackage: sealed }),
  'mls.created': inGroup.extend({ epoch, from: participantIdSchema }),
  'mls.commit': inGroup.extend(orderedCommitSchema.shape),
  /** To one whom a commit has added: how to enter at `epoch`. */
  'mls.welcome': inGroup.extend({ epoch, welcome: sealed, groupInfo: sealed }),
  'mls.message': inGroup.extend({ from: participantIdSchema, message: sealed }),
  'mls.reset': inGroup,
  /** One's own list has grown, or another device has shown its card. */
  'devices.changed': z.object({ user: userIdSchema }),
} as const satisfies Readonly<Record<string, z.ZodType>>
