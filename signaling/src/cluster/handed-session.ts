import { callViewSchema, deviceIdSchema, sessionIdSchema, userIdSchema } from '@parley/protocol'
import { z } from 'zod'
import type { NodeId } from '../core/lease-book.ts'
import type { HandedSession } from '../directory.ts'

const handedSession = z.object({
  session: z.object({
    id: sessionIdSchema,
    key: z.string(),
    user: userIdSchema,
    device: deviceIdSchema,
    lastSeq: z.int(),
    recent: z.array(z.object({ seq: z.int(), type: z.string(), data: z.unknown() })),
  }),
  callWaiting: z.enum(['ring', 'busy']),
  mood: z.enum(['online', 'away', 'invisible']),
  calls: z.array(
    z.object({ owner: z.string().transform((text) => text as NodeId), view: callViewSchema }),
  ),
})

/** A session as another node gives it; `undefined` where it has none to give. */
export function parseHandedSession(raw: unknown): HandedSession | undefined {
  const parsed = handedSession.safeParse(raw)
  if (!parsed.success) return undefined
  const { session, ...rest } = parsed.data
  return { session: { ...session, leaving: false, awayUntil: undefined }, ...rest }
}
