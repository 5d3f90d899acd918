import {
  callIdSchema,
  deviceIdSchema,
  grantsSchema,
  sessionIdSchema,
  userIdSchema,
} from '@parley/protocol'
import { z } from 'zod'
import type { NodeId } from '../core/lease-book.ts'

const nodeId = z
  .string()
  .min(1)
  .max(64)
  .transform((text) => text as NodeId)

const deviceAddress = z.object({ user: userIdSchema, device: deviceIdSchema })

const deviceState = z.object({
  connected: z.boolean(),
  leaving: z.boolean().optional(),
  session: sessionIdSchema,
  callWaiting: z.enum(['ring', 'busy']),
  mood: z.enum(['online', 'away', 'invisible']),
  calls: z.array(callIdSchema),
  since: z.number(),
  grants: grantsSchema.optional(),
})

/** What a node tells another one; nothing is answered. */
export const tellings = {
  /** Its devices: the `whole` of them at first, then changes. `asks`: for the other's in return. */
  devices: z.object({
    whole: z.boolean(),
    asks: z.boolean(),
    devices: z.array(deviceAddress.extend({ state: deviceState.nullable() })),
  }),
  /** An event for a device that has its session there. */
  event: z.object({
    to: deviceAddress,
    event: z.object({ type: z.string(), data: z.unknown() }),
    /** The call that it is about, and the token of who sends it. */
    call: callIdSchema.optional(),
    token: z.number(),
  }),
  /** It stops. */
  bye: z.object({}),
} as const

/** What a node asks another one. */
export const askings = {
  /** A device's request about a call that is held there. Answered by an answer frame. */
  request: z.object({
    at: deviceAddress,
    session: sessionIdSchema,
    grants: grantsSchema,
    type: z.string(),
    data: z.unknown(),
  }),
  /** The session of a device that has come here with its key. Answered by a `handedSession`. */
  'session.take': z.object({ at: deviceAddress, session: sessionIdSchema, key: z.string() }),
} as const

export type TellingType = keyof typeof tellings
export type Telling<T extends TellingType> = z.infer<(typeof tellings)[T]>
export type AskingType = keyof typeof askings
export type Asking<T extends AskingType> = z.infer<(typeof askings)[T]>

/** One message on a node's channel. */
export const nodeFrame = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tell'), from: nodeId, type: z.string(), data: z.unknown() }),
  z.object({
    kind: z.literal('ask'),
    from: nodeId,
    id: z.number(),
    type: z.string(),
    data: z.unknown(),
  }),
  z.object({ kind: z.literal('answer'), from: nodeId, id: z.number(), data: z.unknown() }),
])
export type NodeFrame = z.infer<typeof nodeFrame>

/** Parses a message; `undefined` for what no node of this version sends. */
export function parseNodeFrame(text: string): NodeFrame | undefined {
  try {
    const parsed = nodeFrame.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
