import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail, ok, userIdSchema } from '@parley/protocol'
import type { CallId, Result, UserId, WireError } from '@parley/protocol'
import type { Secret } from '@parley/service'
import type { AdminDoor } from '../admin-door.ts'
import { badField } from '../bad-field.ts'
import type { CallReporter } from '../call-reporter.ts'
import { concerns } from '../store/call-records.ts'
import type { CallRecords } from '../store/call-records.ts'
import { adminOperations, openApiDocument } from './admin-operations.ts'
import type { AdminOperation, AdminOperationName } from './admin-operations.ts'

/** What the admin API works with. */
export interface AdminSources {
  readonly secret: Secret
  readonly hub: AdminDoor
  readonly reporter: CallReporter
  readonly records: CallRecords
  /** Forgets what waits for a user. */
  readonly erase: (user: UserId) => Promise<Result<void>>
  readonly now: () => number
}

interface Asked {
  readonly path: Readonly<Record<string, string>>
  /** As the schema of the operation has read it. */
  readonly query: { readonly user?: UserId; readonly before?: number; readonly limit: number }
}

type Handler = (sources: AdminSources, asked: Asked) => Result<unknown> | Promise<Result<unknown>>

const handlers: Readonly<Record<AdminOperationName, Handler>> = {
  listCalls: ({ reporter }, { query: { user, limit } }) => {
    const all = reporter.running().filter((r) => user === undefined || concerns(r, user))
    return ok({ total: all.length, calls: all.slice(0, limit) })
  },
  inspectCall: ({ hub, reporter }, { path }) => {
    const view = hub.view(path['call'] as CallId)
    const record = reporter.find(path['call'] as CallId)
    return view && record ? ok({ record, view }) : fail('call-not-found')
  },
  endCall: ({ hub }, { path }) =>
    hub.endCall(path['call'] as CallId) ? ok({ done: true }) : fail('call-not-found'),
  removeParticipant: ({ hub }, { path }) =>
    hub.removeParticipant(path['call'] as CallId, path['participant'] ?? '')
      ? ok({ done: true })
      : fail('no-such-participant'),
  inspectUser: ({ hub, reporter }, { path }) => {
    const user = userIdSchema.safeParse(path['user'])
    if (!user.success) return fail('bad-request', { field: 'user' })
    const calls = reporter.running().filter((record) => concerns(record, user.data))
    const { status } = hub.presenceOf(user.data)
    return ok({ user: user.data, status, sessions: hub.sessions(user.data), calls })
  },
  eraseUser: async ({ erase }, { path }) => {
    const user = userIdSchema.safeParse(path['user'])
    if (!user.success) return fail('bad-request', { field: 'user' })
    const erased = await erase(user.data)
    return erased.ok ? ok({ done: true }) : erased
  },
  endSession: ({ hub }, { path }) =>
    hub.endSession(path['session'] ?? '') ? ok({ done: true }) : fail('session-gone'),
  listRecords: async ({ records, now }, { query }) => {
    const listed = await records.list(query, now())
    return listed.ok ? ok({ records: listed.data }) : listed
  },
  inspectRecord: async ({ records, now }, { path }) => {
    const found = await records.find(path['call'] as CallId, now())
    if (!found.ok) return found
    return found.data ? ok(found.data) : fail('call-not-found')
  },
}

const routes = Object.entries<AdminOperation>(adminOperations).map(([name, operation]) => ({
  operation,
  handle: handlers[name as AdminOperationName],
  pattern: new RegExp(
    `^${operation.path.replace(/\{(\w+)\}/g, (_, parameter: string) => `(?<${parameter}>[^/]+)`)}$`,
  ),
}))

/** Answers what is below `/admin/`; `false` means that the request is for somebody else. */
export async function answerAdmin(
  request: IncomingMessage,
  response: ServerResponse,
  sources: AdminSources,
): Promise<boolean> {
  const url = URL.parse(request.url ?? '/', 'http://admin')
  if (!url?.pathname.startsWith('/admin/')) return false
  if (request.method === 'GET' && url.pathname === '/admin/v1/openapi.json') {
    send(response, 200, openApiDocument())
    return true
  }
  const outcome = isAuthorized(request, sources.secret)
    ? await run(request, url, sources)
    : fail('unauthorized', { message: 'Send the secret as "Authorization: Bearer …".' })
  if (outcome.ok) send(response, 200, outcome.data)
  else send(response, statusOf(outcome.error), { error: outcome.error })
  return true
}

async function run(
  request: IncomingMessage,
  url: URL,
  sources: AdminSources,
): Promise<Result<unknown>> {
  const method = request.method?.toLowerCase()
  for (const { operation, handle, pattern } of routes) {
    const match = operation.method === method ? pattern.exec(url.pathname) : null
    if (!match) continue
    const path: Record<string, string> = {}
    for (const [name, value] of Object.entries(match.groups ?? {})) {
      const decoded = decode(value)
      if (decoded === undefined) return fail('bad-request', { field: name })
      path[name] = decoded
    }
    const query = operation.query?.safeParse(Object.fromEntries(url.searchParams))
    if (query && !query.success) return badField(query.error)
    // The schema of the operation has read it; operations without one do not look.
    return handle(sources, { path, query: (query?.data ?? { limit: 0 }) as Asked['query'] })
  }
  return fail('unknown-request', { message: 'No such operation; see /admin/v1/openapi.json.' })
}

function isAuthorized({ headers }: IncomingMessage, secret: Secret): boolean {
  const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
  // Digests have one length, and comparing them tells nothing about the secret.
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(secret.reveal()))
}

function statusOf({ code }: WireError): number {
  if (code === 'unauthorized') return 401
  if (code === 'store-unavailable') return 503
  return code === 'bad-request' ? 400 : 404
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))
}
