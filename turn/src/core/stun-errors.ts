/** A STUN error: code and reason phrase. */
export interface StunError {
  readonly code: number
  readonly reason: string
}

/** Error codes of RFC 8489 §14.8 and RFC 8656 §19 that the server gives. */
export const stunErrors = {
  tryAlternate: { code: 300, reason: 'Try Alternate' },
  badRequest: { code: 400, reason: 'Bad Request' },
  unauthenticated: { code: 401, reason: 'Unauthenticated' },
  forbidden: { code: 403, reason: 'Forbidden' },
  unknownAttribute: { code: 420, reason: 'Unknown Attribute' },
  allocationMismatch: { code: 437, reason: 'Allocation Mismatch' },
  staleNonce: { code: 438, reason: 'Stale Nonce' },
  familyNotSupported: { code: 440, reason: 'Address Family not Supported' },
  wrongCredentials: { code: 441, reason: 'Wrong Credentials' },
  transportNotSupported: { code: 442, reason: 'Unsupported Transport Protocol' },
  familyMismatch: { code: 443, reason: 'Peer Address Family Mismatch' },
  quotaReached: { code: 486, reason: 'Allocation Quota Reached' },
  insufficientCapacity: { code: 508, reason: 'Insufficient Capacity' },
} as const satisfies Record<string, StunError>
