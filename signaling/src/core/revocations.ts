import type { Millis, UserId } from '@parley/protocol'
import type { Pass } from './pass.ts'

/** How long a revocation is remembered: tokens that live longer than this are not to be given out. */
export const REVOCATION_LIFE_MS = 30 * 24 * 60 * 60_000

/** Revocations remembered at once; the oldest go first. */
const MOST_REVOCATIONS = 100_000

/** What is withdrawn: one token by its `jti`, or every token that a user has had until now. */
export type RevocationTarget = { readonly tokenId: string } | { readonly user: UserId }

/** Tokens that are good by signature and time, and yet refused. Bounded in number and age. */
export class Revocations {
  readonly #at = new Map<string, Millis>()
  readonly #most: number

  constructor(most = MOST_REVOCATIONS) {
    this.#most = most
  }

  add(target: RevocationTarget, now: Millis): void {
    const key = keyOf(target)
    const at = Math.max(now, this.#at.get(key) ?? 0)
    // Insertion order is about age order; what another process tells may be older.
    this.#at.delete(key)
    this.#at.set(key, at)
    for (const [oldest, since] of this.#at) {
      if (this.#at.size <= this.#most && since > now - REVOCATION_LIFE_MS) return
      this.#at.delete(oldest)
    }
  }

  /** A token without `iat` counts as older than any revocation of its user. */
  covers(user: UserId, { tokenId, issuedAt }: Pick<Pass, 'tokenId' | 'issuedAt'>): boolean {
    if (tokenId !== undefined && this.#at.has(keyOf({ tokenId }))) return true
    const at = this.#at.get(keyOf({ user }))
    // `iat` counts whole seconds: a token made in the second of the revocation, after it, is let in.
    return at !== undefined && (issuedAt === undefined || issuedAt < Math.floor(at / 1_000) * 1_000)
  }
}

function keyOf(target: RevocationTarget): string {
  return 'tokenId' in target ? `t:${target.tokenId}` : `u:${target.user}`
}
