import { z } from 'zod'
import { limits } from './limits.ts'

/** What a token may let its bearer send into calls. */
export const publishableSchema = z.enum(['audio', 'video', 'screen', 'data'])
export type Publishable = z.infer<typeof publishableSchema>

/** A room name in which `*` stands for any characters. */
const roomPatternSchema = z
  .string()
  .min(1)
  .max(limits.roomNameLength)
  .regex(/^[\p{L}\p{N}._*-]+$/u, 'letters, digits and . _ - and * only')

const roomPatternsSchema = z.array(roomPatternSchema).max(limits.grantedRooms)

/** A user's name in which `*` stands for any characters. */
const userPatternSchema = z
  .string()
  .min(1)
  .max(limits.userIdLength)
  .regex(/^[\p{L}\p{N} ._@+:='*-]+$/u, "letters, digits, spaces and . _ @ + : = ' - and * only")

const userPatternsSchema = z.array(userPatternSchema).max(limits.presenceUsers)

/** What a session may do, with every default filled in. `["*"]` is every room, `[]` none. */
export const grantsSchema = z.object({
  /** Ring people and invite them. */
  ring: z.boolean(),
  /** Rooms that may be joined. */
  rooms: roomPatternsSchema,
  publish: z.array(publishableSchema),
  /** Rooms that may be moderated; `*` takes in calls without a name. */
  moderate: roomPatternsSchema,
  /** Moderate the calls and rooms that the bearer starts. */
  host: z.boolean(),
  /** Whose presence is told: users. */
  presence: userPatternsSchema,
})
export type Grants = z.infer<typeof grantsSchema>

/** All or nothing in one word, or a list. */
const listOr = <Item extends z.ZodType>(list: z.ZodArray<Item>, all: readonly z.infer<Item>[]) =>
  z.union([z.boolean().transform((on): z.infer<Item>[] => (on ? [...all] : [])), list])

/**
 * The claim `grants` of a token, with the default of each field that it leaves out. Strict: a misspelt field would otherwise grant what it was meant to
 * take away.
 */
export const grantsClaimSchema = z.strictObject({
  ring: z.boolean().default(true),
  rooms: listOr(roomPatternsSchema, ['*']).default(['*']),
  publish: listOr(z.array(publishableSchema), publishableSchema.options).default([
    ...publishableSchema.options,
  ]),
  moderate: listOr(roomPatternsSchema, ['*']).default([]),
  host: z.boolean().default(false),
  presence: listOr(userPatternsSchema, ['*']).default(['*']),
})
