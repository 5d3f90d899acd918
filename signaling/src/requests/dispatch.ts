import type { AnswerFrame, ClientRequestData, ClientRequestType, Result } from '@parley/protocol'
import { clientRequests, fail, ok } from '@parley/protocol'
import type { Log } from '@parley/service'
import { badField } from '../bad-field.ts'
import { callRequests } from './call-requests.ts'
import type { Handlers, RequestContext } from './context.ts'
import { deviceRequests } from './device-requests.ts'
import { handOverRequests } from './hand-over-requests.ts'
import { mediaRequests } from './media-requests.ts'
import { moderationRequests } from './moderation-requests.ts'
import { mlsRequests } from './mls-requests.ts'
import { messageRequests } from './message-requests.ts'
import { peopleRequests } from './people-requests.ts'
import { resumeRequests } from './resume-requests.ts'
import { sessionRequests } from './session-requests.ts'

const handlers: Handlers<ClientRequestType> = {
  ...sessionRequests,
  ...callRequests,
  ...handOverRequests,
  ...mediaRequests,
  ...moderationRequests,
  ...resumeRequests,
  ...mlsRequests,
  ...deviceRequests,
  ...messageRequests,
  ...peopleRequests,
}

/** A request whose data fits its type. */
export interface ParsedRequest {
  readonly type: ClientRequestType
  readonly data: ClientRequestData<ClientRequestType>
}

/** Checks type and data of a request. */
export function parseRequest(type: string, data: unknown): Result<ParsedRequest> {
  if (!isRequestType(type)) {
    return fail('unknown-request', { message: 'No such request type.', field: 'type' })
  }
  const parsed = clientRequests[type].data.safeParse(data)
  return parsed.success ? ok({ type, data: parsed.data }) : badField(parsed.error, 'data')
}

/** Has the handler of its type answer a request. Never rejects. */
export async function dispatch(
  context: RequestContext,
  { type, data }: ParsedRequest,
  log: Log,
): Promise<AnswerFrame> {
  try {
    // The schema and the handler of one type belong together; TypeScript cannot pair them by a
    // key that it knows only as a union.
    const handler = handlers[type] as (
      context: RequestContext,
      input: unknown,
    ) => AnswerFrame | Promise<AnswerFrame>
    return await handler(context, data)
  } catch (error) {
    log.error({ err: error, request: type }, 'request failed')
    return fail('internal')
  }
}

/** Request types for metrics: an unknown one must not become a label of its own. */
export function typeNameOf(raw: unknown): string {
  const type = typeof raw === 'object' && raw !== null && 'type' in raw ? raw.type : undefined
  return typeof type === 'string' && isRequestType(type) ? type : 'unknown'
}

function isRequestType(type: string): type is ClientRequestType {
  return Object.hasOwn(clientRequests, type)
}
