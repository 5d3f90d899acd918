import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { handleOperations } from '@parley/service'
import type { Log, OperationsSources, Secret } from '@parley/service'
import { answerAdmin } from './admin.ts'
import type { AdminSources } from './admin.ts'
import { sendFile } from './assets.ts'
import { answerDevToken } from './dev-token.ts'

/** The SDK, and its worker for pages that allow no inline ones. */
const publicFiles: ReadonlySet<string> = new Set(['/sdk.js', '/sdk.js.map', '/e2ee-worker.js'])

/** What the HTTP door serves. `devSecret` is set in development only. */
export interface HttpDoor {
  readonly operations: OperationsSources
  readonly webRoot: string
  readonly devSecret: Secret | undefined
  readonly log: Log
  /** Left out where the admin API is off or has an address of its own. */
  readonly admin?: AdminSources | undefined
}

/** The public HTTP server: operations, the SDK, and in development tokens and the demo. */
export function createHttpServer(door: HttpDoor): Server {
  return createServer((request, response) => {
    respond(request, response, door).catch((error: unknown) => {
      door.log.error({ err: error }, 'an HTTP request failed')
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
}

/** The admin API on an address of its own. */
export function createAdminServer(admin: AdminSources, log: Log): Server {
  return createServer((request, response) => {
    answerAdmin(request, response, admin)
      .then((answered) => answered || response.writeHead(404).end())
      .catch((error: unknown) => {
        log.error({ err: error }, 'an admin request failed')
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
  })
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { operations, webRoot, devSecret, admin }: HttpDoor,
): Promise<void> {
  if (handleOperations(request, response, operations)) return
  if (admin && (await answerAdmin(request, response, admin))) return
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  if (devSecret) allowAnyOrigin(response)
  if (devSecret && request.method === 'OPTIONS') {
    response.writeHead(204).end()
    return
  }
  if (devSecret && path === '/dev/token') {
    await answerDevToken(request, response, devSecret)
    return
  }
  if (request.method === 'GET' || request.method === 'HEAD') {
    if (publicFiles.has(path)) {
      if (await sendFile(request, response, { root: webRoot, path })) return
    } else if (devSecret) {
      const root = join(webRoot, 'demo')
      const page = path === '/' ? '/index.html' : path
      if (await sendFile(request, response, { root, path: page })) return
    }
  }
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('Not found.\n')
}

/** In development any page may load the SDK and ask for a token, wherever it comes from. */
function allowAnyOrigin(response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-allow-methods', 'GET, POST, OPTIONS')
  response.setHeader('access-control-allow-headers', 'content-type')
}
