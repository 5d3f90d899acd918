import type { IncomingMessage, ServerResponse } from 'node:http'
import { deviceIdSchema, fail, userIdSchema } from '@parley/protocol'
import type { WireError } from '@parley/protocol'
import type { Secret } from '@parley/service'
import { z } from 'zod'
import { mintDevToken } from '../auth/tokens.ts'
import { badField } from '../bad-field.ts'
import { readGrants } from '../core/grants.ts'

/** A name, a device id and grants; more is not a token request. */
const BODY_LIMIT_BYTES = 4_096

const bodySchema = z.object({
  user: userIdSchema,
  device: deviceIdSchema.optional(),
  grants: z.unknown().optional(),
})

/** Answers `POST /dev/token`: hands a token to anybody, so it exists in development only. */
export async function answerDevToken(
  request: IncomingMessage,
  response: ServerResponse,
  secret: Secret,
): Promise<void> {
  if (request.method !== 'POST') {
    response.setHeader('allow', 'POST')
    sendError(response, 405, fail('bad-request', { message: 'Use POST.', field: 'method' }).error)
    return
  }
  const text = await readBody(request)
  if (text === undefined) {
    sendError(response, 413, fail('too-large', { limit: BODY_LIMIT_BYTES }).error)
    return
  }
  const body = bodySchema.safeParse(parseJson(text))
  if (!body.success) {
    sendError(response, 400, badField(body.error).error)
    return
  }
  const grants = readGrants(body.data.grants)
  if (!grants.ok) {
    sendError(response, 400, grants.error)
    return
  }
  sendJson(response, 200, { token: await mintDevToken(secret, body.data) })
}

function sendError(response: ServerResponse, status: number, error: WireError): void {
  sendJson(response, status, { error })
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))
}

/** The body as text, or `undefined` when it is over the limit. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > BODY_LIMIT_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
