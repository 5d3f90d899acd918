import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Health } from './health.ts'
import { listen } from './listen.ts'
import type { Metrics } from './metrics.ts'
import type { HostPort } from './settings.ts'

/** What the operations endpoints answer from. */
export interface OperationsSources {
  readonly metrics: Metrics
  readonly health: Health
}

/**
 * Answers `/metrics`, `/healthz` and `/readyz`; `false` means that the request is for somebody else.
 */
export function handleOperations(
  request: IncomingMessage,
  response: ServerResponse,
  { metrics, health }: OperationsSources,
): boolean {
  const path = request.url?.split('?', 1)[0]
  switch (path) {
    case '/healthz':
      respondJson(response, 200, { status: 'ok' })
      return true
    case '/readyz':
      respondJson(response, health.isReady() ? 200 : 503, {
        status: health.isReady() ? 'ready' : 'not-ready',
        obstacles: health.obstacles(),
      })
      return true
    case '/metrics':
      void metrics.text().then(
        ({ contentType, body }) =>
          response.writeHead(200, { 'content-type': contentType }).end(body),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
      return true
    default:
      return false
  }
}

/** Serves the operations endpoints on an address of their own. */
export async function serveOperations(
  address: HostPort,
  sources: OperationsSources,
): Promise<{ readonly port: number; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    if (!handleOperations(request, response, sources)) response.writeHead(404).end()
  })
  const port = await listen(server, address, 'PARLEY_METRICS')
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function respondJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
