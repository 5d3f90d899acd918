import type {
  Call,
  CallId,
  ClientRequestData,
  ClientRequestResult,
  ClientRequestType,
  DeviceAddress,
  Grants,
  IceConfig,
  Millis,
  Participant,
  Result,
  SessionId,
} from '@parley/protocol'
import { fail, ok, participantAt } from '@parley/protocol'
import type { Log } from '@parley/service'
import type { Calls } from '../calls.ts'
import type { Deliveries } from '../deliveries.ts'
import type { Directory } from '../directory.ts'
import type { Media } from '../media.ts'
import type { People } from '../people.ts'
import type { Environment } from '../ports.ts'
import type { Seats } from '../seats.ts'

/** What a handler works with: who asks, and the state that he may ask about. */
export interface RequestContext {
  readonly at: DeviceAddress
  readonly session: SessionId
  readonly env: Environment
  readonly log: Log
  readonly calls: Calls
  readonly media: Media
  readonly seats: Seats
  readonly directory: Directory
  readonly deliveries: Deliveries
  readonly ringTimeoutMs: number
  /** The calls that a device is in, held by whichever node. */
  readonly callsOf: (at: DeviceAddress) => ReadonlySet<CallId>
  iceConfig(): IceConfig
  /** The page of the one who asks goes away. */
  announceLeaving(): void
  /** What the asking session may do. */
  readonly grants: Grants
  refresh(token: string): Promise<Result<{ grants: Grants; expiresAt: Millis }>>
  readonly people: People
}

/** Handlers for some of the request types. */
export type Handlers<T extends ClientRequestType> = {
  readonly [Type in T]: (
    context: RequestContext,
    data: ClientRequestData<Type>,
  ) => Result<ClientRequestResult<Type>> | Promise<Result<ClientRequestResult<Type>>>
}

/** The caller's seat in the call that he names. */
export function seatOf(
  { calls, at }: RequestContext,
  id: CallId,
): Result<{ readonly call: Call; readonly seat: Participant }> {
  const call = calls.find(id)
  if (!call) return fail('call-not-found', { field: 'data.call' })
  const seat = participantAt(call, at)
  return seat ? ok({ call, seat }) : fail('not-in-call', { field: 'data.call' })
}
