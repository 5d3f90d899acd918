import type { Grants, Millis } from '@parley/protocol'

/** What a verified token gives its bearer, besides a name. */
export interface Pass {
  readonly grants: Grants
  /** The token's `jti`, by which it can be revoked. */
  readonly tokenId: string | undefined
  /** The token's `iat`. */
  readonly issuedAt: Millis | undefined
  readonly expiresAt: Millis
}
