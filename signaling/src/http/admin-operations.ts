import {
  callViewSchema,
  deviceIdSchema,
  presenceStatusSchema,
  sessionIdSchema,
  userIdSchema,
} from '@parley/protocol'
import { z } from 'zod'
import { callRecordSchema } from '../call-record.ts'

/** What of an operation the document says and the server checks. */
export interface AdminOperation {
  readonly method: 'get' | 'post' | 'delete'
  /** With `{name}` for each parameter. */
  readonly path: string
  readonly summary: string
  readonly query?: z.ZodObject
  readonly answer: z.ZodType
}

const session = z.object({
  session: sessionIdSchema,
  user: userIdSchema,
  device: deviceIdSchema,
  connected: z.boolean(),
})
const done = z.object({ done: z.literal(true) })
const limit = z.coerce.number().int().min(1).max(500).default(50)

/** Everything that an operator's server can do. */
export const adminOperations = {
  listCalls: {
    method: 'get',
    path: '/admin/v1/calls',
    summary: 'The calls that run on this process, newest last.',
    query: z.object({ user: userIdSchema.optional(), limit }),
    answer: z.object({ total: z.int(), calls: z.array(callRecordSchema) }),
  },
  inspectCall: {
    method: 'get',
    path: '/admin/v1/calls/{call}',
    summary: 'A running call: its record so far, and as its participants see it.',
    answer: z.object({ record: callRecordSchema, view: callViewSchema }),
  },
  endCall: {
    method: 'post',
    path: '/admin/v1/calls/{call}/end',
    summary: 'Ends a call for all; they hear "removed".',
    answer: done,
  },
  removeParticipant: {
    method: 'delete',
    path: '/admin/v1/calls/{call}/participants/{participant}',
    summary: 'Takes one participant out of a call; he hears "removed".',
    answer: done,
  },
  inspectUser: {
    method: 'get',
    path: '/admin/v1/users/{user}',
    summary: 'The sessions, calls and presence of a user on this process.',
    answer: z.object({
      user: userIdSchema,
      status: presenceStatusSchema,
      sessions: z.array(session),
      calls: z.array(callRecordSchema),
    }),
  },
  eraseUser: {
    method: 'delete',
    path: '/admin/v1/users/{user}/mailbox',
    summary: 'Forgets the missed calls, push subscriptions and device list of a user.',
    answer: done,
  },
  endSession: {
    method: 'delete',
    path: '/admin/v1/sessions/{session}',
    summary: 'Closes the connection of a device. It may come back unless its token is refused.',
    answer: done,
  },
  listRecords: {
    method: 'get',
    path: '/admin/v1/records',
    summary: 'Records of calls that are over, newest first.',
    query: z.object({
      user: userIdSchema.optional(),
      before: z.coerce.number().optional().describe('Only those that ended before (ms)'),
      limit,
    }),
    answer: z.object({ records: z.array(callRecordSchema) }),
  },
  inspectRecord: {
    method: 'get',
    path: '/admin/v1/records/{call}',
    summary: 'The record of a call that is over.',
    answer: callRecordSchema,
  },
} as const satisfies Readonly<Record<string, AdminOperation>>

export type AdminOperationName = keyof typeof adminOperations

const wireError = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    field: z.string().optional(),
    limit: z.number().optional(),
  }),
})

/** The OpenAPI document, made of the schemas that the server checks with. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [name, operation] of Object.entries<AdminOperation>(adminOperations)) {
    const { method, path, summary, query, answer } = operation
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
      name: parameter,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    }))
    const inQuery = Object.entries(query?.shape ?? {}).map(([parameter, schema]) => ({
      name: parameter,
      in: 'query',
      required: false,
      schema: jsonSchema(schema as z.ZodType, 'input'),
    }))
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId: name,
        summary,
        parameters: [...inPath, ...inQuery],
        responses: {
          200: content('Done.', answer),
          400: content('A parameter is wrong.', wireError),
          401: content('The bearer secret is missing or wrong.', wireError),
          404: content('There is no such thing.', wireError),
          503: content('Redis is away.', wireError),
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Parley admin API', version: '1.0.0' },
    security: [{ bearer: [] }],
    paths,
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
  }
}

function content(description: string, schema: z.ZodType): object {
  return { description, content: { 'application/json': { schema: jsonSchema(schema, 'output') } } }
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  // OpenAPI 3.1 names the dialect of all its schemas once.
  return { ...z.toJSONSchema(schema, { io, unrepresentable: 'any' }), $schema: undefined }
}
