import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HostPort, Secret } from '@parley/service'
import { listen, parseHostPort } from '@parley/service'
import type { Endpoint } from './wire/index.ts'
import { endpointOf, familyOf, parseAddress } from './wire/index.ts'
import type { TurnHandle } from './start.ts'

/** No order is longer. */
const MAX_BODY_BYTES = 16 * 1024

/** How long a drain may take, and how long it takes when nobody says. */
const MAX_DRAIN_SECONDS = 7 * 24 * 3_600
const DEFAULT_DRAIN_SECONDS = 3_600

/** The admin API of a running server. */
export interface AdminServer {
  readonly port: number
  close(): void
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** What the API may do to a server. */
export type AdminTarget = Pick<
  TurnHandle,
  'stats' | 'sessions' | 'endSessions' | 'drain' | 'cancelDrain' | 'drainStatus'
>

/** Serves the admin API: JSON over HTTP on an address of its own, for whoever has the token. */
export async function serveAdmin(
  { address, token }: { readonly address: HostPort; readonly token: Secret },
  turn: AdminTarget,
): Promise<AdminServer> {
  const expected = digest(`Bearer ${token.reveal()}`)
  const server = createServer((request, response) => {
    // Digests have one length, which `timingSafeEqual` asks for.
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) {
      respond(response, { status: 401, body: { error: 'the bearer token is missing or wrong' } })
      return
    }
    answer(request, turn).then(
      (result) => {
        respond(response, result)
      },
      (error: unknown) => {
        respond(response, { status: 500, body: { error: String(error) } })
      },
    )
  })
  const port = await listen(server, address, 'PARLEY_TURN_ADMIN')
  return {
    port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(request: IncomingMessage, turn: AdminTarget): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://admin')
  const parts = url.pathname.split('/').filter((part) => part !== '')
  switch (`${request.method} /${parts[0] ?? ''}`) {
    case 'GET /stats':
      return ok(turn.stats())
    case 'GET /sessions':
      return ok({ sessions: await listSessions(turn, url.searchParams.get('user')) })
    case 'DELETE /sessions':
      return endSessions(turn, parts[1], url.searchParams.get('user'))
    case 'GET /drain':
      return ok(drainBody(turn))
    case 'POST /drain':
      return startDrain(turn, await readBody(request))
    case 'DELETE /drain':
      await turn.cancelDrain()
      return ok(drainBody(turn))
    default:
      return { status: 404, body: { error: 'there is no such resource' } }
  }
}

/** Sessions as the API names them: `worker-id` says where each one is. */
async function listSessions(turn: AdminTarget, user: string | null) {
  const sessions = await turn.sessions()
  return sessions
    .filter((session) => user === null || session.user === user)
    .map(({ worker, id, ...rest }) => ({ id: `${worker}-${id}`, worker, ...rest }))
}

async function endSessions(
  turn: AdminTarget,
  id: string | undefined,
  user: string | null,
): Promise<Answer> {
  if (id === undefined) {
    if (user === null) return badRequest('name a session, as /sessions/0-17, or a ?user=')
    return ok({ ended: await turn.endSessions({ by: 'user', user }) })
  }
  const match = /^(\d{1,4})-(\d{1,15})$/.exec(id)
  if (!match) return badRequest('a session is named as 0-17')
  const ended = await turn.endSessions({ by: 'id', id: Number(match[2]) }, Number(match[1]))
  return ended === 0 ? { status: 404, body: { error: 'there is no such session' } } : ok({ ended })
}

async function startDrain(turn: AdminTarget, body: unknown): Promise<Answer> {
  if (typeof body !== 'object' || body === null) return badRequest('the body must be an object')
  const { deadlineSeconds = DEFAULT_DRAIN_SECONDS, alternates = [] } = body as Record<
    string,
    unknown
  >
  const isDeadline =
    typeof deadlineSeconds === 'number' &&
    deadlineSeconds >= 0 &&
    deadlineSeconds <= MAX_DRAIN_SECONDS
  if (!isDeadline) return badRequest(`deadlineSeconds must be from 0 to ${MAX_DRAIN_SECONDS}`)
  const endpoints = Array.isArray(alternates) ? alternates.map(readAlternate) : [undefined]
  const good = endpoints.filter((endpoint) => endpoint !== undefined)
  const families = new Set(good.map(({ address }) => familyOf(address)))
  if (good.length < endpoints.length || families.size < good.length) {
    return badRequest('alternates must be address:port, at most one of each family')
  }
  await turn.drain({ deadlineMs: deadlineSeconds * 1_000, alternates: good })
  return ok(drainBody(turn))
}

function drainBody(turn: AdminTarget) {
  const { drainStatus } = turn
  const { allocations } = turn.stats()
  return { draining: drainStatus !== undefined, endsAt: drainStatus?.endsAt ?? null, allocations }
}

function readAlternate(text: unknown): Endpoint | undefined {
  const hostPort = typeof text === 'string' ? parseHostPort(text) : undefined
  const address = hostPort && parseAddress(hostPort.host)
  return address === undefined || !hostPort ? undefined : endpointOf(address, hostPort.port)
}

/** The JSON of a body; an empty one is an empty object, a bad or long one nothing. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > MAX_BODY_BYTES) return undefined
  }
  try {
    return JSON.parse(text === '' ? '{}' : text) as unknown
  } catch {
    return undefined
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body }
}

function badRequest(error: string): Answer {
  return { status: 400, body: { error } }
}

function respond(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
