import { z } from 'zod'
import type { WireError } from './errors.ts'
import { deviceIdSchema, sessionIdSchema } from './ids.ts'
import { limits } from './limits.ts'
import { PROTOCOL_VERSION } from './version.ts'

/** What a client sends in Socket.IO's `auth` when it connects. */
export const handshakeSchema = z.object({
  protocol: z.literal(PROTOCOL_VERSION),
  token: z.string().min(1).max(limits.tokenLength),
  /** Ignored where the token names a device. */
  device: deviceIdSchema.optional(),
  /** Asks for the session of a lost socket. `key` proves that it is the client's own. */
  resume: z
    .object({
      session: sessionIdSchema,
      key: z.string().min(1).max(limits.idLength),
      /** Sequence number of the last event that the client has handled. */
      lastSeq: z.int().min(0),
    })
    .optional(),
})
export type Handshake = z.infer<typeof handshakeSchema>

/** Client → server on the Socket.IO event `request`, answered through its acknowledgement. */
export const requestFrameSchema = z.object({
  /** The same id gives the same answer, without doing the thing twice. */
  id: z.string().min(1).max(limits.idLength),
  type: z.string().min(1).max(limits.idLength),
  data: z.unknown(),
})
export type RequestFrame = z.infer<typeof requestFrameSchema>

/** The acknowledgement of a request. */
export type AnswerFrame =
  { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly error: WireError }

/** Server → client on the Socket.IO event `event`. `seq` rises by one from 1 within a session. */
export interface EventFrame {
  readonly seq: number
  readonly type: string
  readonly data: unknown
}
