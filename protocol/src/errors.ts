/**
 * Every error code of the protocol: what it means, and whether the same request can succeed later
 * without a change by the app.
 */
export const errorCodes = {
  'bad-request': { retryable: false, meaning: 'A field has the wrong type, size or characters.' },
  'unknown-request': { retryable: false, meaning: 'The server knows no request of this type.' },
  'too-large': { retryable: false, meaning: 'The message is over the size limit.' },
  'rate-limited': { retryable: true, meaning: 'Too many requests; slow down.' },
  unauthorized: {
    retryable: false,
    meaning: 'The token is missing, forged, or not for this server.',
  },
  'token-expired': { retryable: true, meaning: 'The token has expired; connect with a fresh one.' },
  revoked: {
    retryable: false,
    meaning: 'The app has withdrawn this token, or all tokens that the user had.',
  },
  'not-permitted': { retryable: false, meaning: 'The token does not grant this.' },
  'too-busy': {
    retryable: true,
    meaning: 'The server lets nobody in now; come back when it says.',
  },
  'slow-consumer': {
    retryable: true,
    meaning: 'The client did not read fast enough; it may come back to its session.',
  },
  'protocol-version': { retryable: false, meaning: 'Client and server speak different versions.' },
  'session-replaced': {
    retryable: false,
    meaning: 'The same device connected elsewhere, and the newer connection is used.',
  },
  'session-gone': { retryable: true, meaning: 'The session to resume no longer exists.' },
  'call-self': { retryable: false, meaning: 'A user cannot ring himself.' },
  'user-offline': { retryable: true, meaning: 'None of the users has a connected device.' },
  'push-off': { retryable: false, meaning: 'This server sends no Web Push.' },
  'call-not-found': { retryable: false, meaning: 'There is no such call, or it has ended.' },
  'call-exists': { retryable: false, meaning: 'The call id is in use by another call.' },
  'not-in-call': { retryable: false, meaning: 'This device is not in the call.' },
  'too-many-calls': { retryable: false, meaning: 'This device holds as many calls as it may.' },
  'answered-elsewhere': { retryable: false, meaning: 'Another device answered first.' },
  'not-ringing': { retryable: false, meaning: 'The call does not ring here (any more).' },
  'not-invited': {
    retryable: false,
    meaning: 'Nobody has asked this user to join, and no other device of his is in the call.',
  },
  'not-answered': {
    retryable: true,
    meaning: 'There is nobody in the call yet whom one could leave to somebody else.',
  },
  'hand-over-pending': {
    retryable: true,
    meaning: 'The place in the call is being offered to somebody already.',
  },
  'not-moderator': { retryable: false, meaning: 'Only a moderator of the call may do this.' },
  'call-locked': { retryable: true, meaning: 'The call is locked: nobody new comes in.' },
  'lobby-full': { retryable: true, meaning: 'As many wait to be let in as may.' },
  'not-waiting': { retryable: false, meaning: 'No such user waits to be let in (any more).' },
  silenced: {
    retryable: false,
    meaning: 'A moderator has switched this off, and only a moderator allows it again.',
  },
  'encryption-required': {
    retryable: false,
    meaning:
      'The call is end-to-end encrypted, and this client does not encrypt: update it, or leave its `encryption` option on.',
  },
  'call-not-encrypted': {
    retryable: false,
    meaning:
      'Those in the call do not encrypt end to end: have them do so, or set `encryption` to `off` to meet them without.',
  },
  'call-full': { retryable: true, meaning: 'The call has as many people as it may have.' },
  'ticket-invalid': { retryable: false, meaning: 'The seat ticket is forged, cut or unreadable.' },
  'ticket-expired': { retryable: false, meaning: 'The seat ticket is too old.' },
  'ticket-foreign': { retryable: false, meaning: 'The seat ticket is of another user or device.' },
  'no-such-participant': {
    retryable: true,
    meaning: 'The addressed participant is not in the call.',
  },
  'no-media-node': { retryable: true, meaning: 'No SFU node can take the call now.' },
  'media-order': {
    retryable: false,
    meaning: 'A media request came out of order, or names a thing that does not exist.',
  },
  'bad-media-parameters': { retryable: false, meaning: 'The SFU refused the media parameters.' },
  'mls-stale-epoch': {
    retryable: false,
    meaning: 'Another commit has ended this epoch of the group; it comes as an event.',
  },
  'mls-no-group': { retryable: true, meaning: 'The call has no such group (any more).' },
  'device-list-conflict': {
    retryable: true,
    meaning: 'The device list has grown meanwhile; fetch it and try again.',
  },
  'device-list-full': { retryable: false, meaning: 'The device list has no room for an entry.' },
  'media-timeout': { retryable: true, meaning: 'The SFU node did not answer in time.' },
  'store-unavailable': {
    retryable: true,
    meaning: 'What several servers share cannot be reached now; running calls go on.',
  },
  'shutting-down': { retryable: true, meaning: 'The server is stopping; connect again.' },
  internal: { retryable: true, meaning: 'The server failed; the log has the details.' },
} as const satisfies Readonly<Record<string, { retryable: boolean; meaning: string }>>

export type ErrorCode = keyof typeof errorCodes

/** An expected failure as it stands on the wire. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  /** Path of the field at fault, as `data.room`. */
  readonly field?: string
  /** What the field may hold at most, in its own unit. */
  readonly limit?: number
  /** When to try again, in milliseconds from now. */
  readonly retryAfterMs?: number
}

/** What an error says besides its code. */
type ErrorDetails = Partial<Pick<WireError, 'message' | 'field' | 'limit' | 'retryAfterMs'>>

/** Builds the wire form of a code. `message` defaults to the code's meaning. */
export function wireError(code: ErrorCode, details: ErrorDetails = {}): WireError {
  const { retryable, meaning } = errorCodes[code]
  return { code, message: meaning, retryable, ...details }
}

/** An outcome that is expected to fail at times: a value, never an exception. */
export type Result<T> =
  { readonly ok: true; readonly data: T } | { readonly ok: false; readonly error: WireError }

export function ok<T>(data: T): Result<T> {
  return { ok: true, data }
}

export function fail(
  code: ErrorCode,
  details?: ErrorDetails,
): { readonly ok: false; readonly error: WireError } {
  return { ok: false, error: wireError(code, details) }
}
