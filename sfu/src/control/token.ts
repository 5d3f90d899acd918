import type { Millis } from '@parley/protocol'
import type { Secret } from '@parley/service'
import { errors, jwtVerify } from 'jose'

const ISSUER = 'parley-signaling'
const AUDIENCE = 'parley-sfu'

/** Tokens live a minute at most, so that one that leaks from a log is worth little. */
const MAX_AGE_S = 60

/** How far the clocks of signaling and node may differ. */
const CLOCK_TOLERANCE_S = 10

/** Tokens whose reuse is watched; a controller uses one per connection. */
const REMEMBERED = 10_000

/** The name of a controller that does not give one. */
const ANY_CONTROLLER = 'signaling'

export type TokenVerdict =
  | { readonly ok: true; readonly controller: string }
  | { readonly ok: false; readonly code: 'unauthorized' | 'token-expired' }

/** Checks the tokens of the control link, each of which opens one connection. */
export class ControlTokens {
  readonly #key: Uint8Array
  /** Token id → when it may be forgotten. */
  readonly #used = new Map<string, Millis>()

  constructor(secret: Secret) {
    this.#key = new TextEncoder().encode(secret.reveal())
  }

  async check(token: unknown, now: Millis): Promise<TokenVerdict> {
    if (typeof token !== 'string') return { ok: false, code: 'unauthorized' }
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        maxTokenAge: MAX_AGE_S,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['jti', 'exp'],
        currentDate: new Date(now),
      })
      if (payload.jti === undefined || !this.#spend(payload.jti, now)) {
        return { ok: false, code: 'unauthorized' }
      }
      return { ok: true, controller: payload.sub ?? ANY_CONTROLLER }
    } catch (error) {
      const expired = error instanceof errors.JWTExpired
      return { ok: false, code: expired ? 'token-expired' : 'unauthorized' }
    }
  }

  /** False for a token that was used before. */
  #spend(id: string, now: Millis): boolean {
    for (const [old, forgetAt] of this.#used) {
      if (now < forgetAt && this.#used.size < REMEMBERED) break
      this.#used.delete(old)
    }
    if (this.#used.has(id)) return false
    this.#used.set(id, now + (MAX_AGE_S + 2 * CLOCK_TOLERANCE_S) * 1_000)
    return true
  }
}
