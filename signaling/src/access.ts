import type {
  ClientRequestData,
  ClientRequestType,
  DeviceAddress,
  Grants,
  Millis,
  Result,
  ServerEvent,
  SessionEnd,
  SessionId,
} from '@parley/protocol'
import { fail, ok } from '@parley/protocol'
import type { Claims, TokenVerifier } from './auth/tokens.ts'
import type { Revocation, RevocationFeed } from './store/revocation-feed.ts'
import { Deadlines } from './core/deadlines.ts'
import { defaultGrants, refusal } from './core/grants.ts'
import type { Pass } from './core/pass.ts'
import { Revocations } from './core/revocations.ts'
import type { RevocationTarget } from './core/revocations.ts'

/** How long before its end a session is told that its token ends. Longer renews more often. */
const EXPIRY_NOTICE_MS = 60_000

/** What access needs of its surroundings. */
export interface AccessPorts {
  now(): Millis
  tell(session: SessionId, event: ServerEvent): void
  /** Who has the session; `undefined` once it is over. */
  holder(session: SessionId): DeviceAddress | undefined
  /** `wait`: the session is kept for a client that comes back with another token. */
  close(session: SessionId, code: SessionEnd, wait: boolean): void
  /** A session's token says what its holder may do. */
  granted(session: SessionId, grants: Grants): void
  /** What the holder of a session may do has become less or more. */
  grantsChanged(at: DeviceAddress, grants: Grants): void
}

/** What each session may do, and until when: grants, expiry, refresh and revocation of tokens. */
export class Access {
  readonly #ports: AccessPorts
  readonly #verifier: TokenVerifier | undefined
  readonly #feed: RevocationFeed | undefined
  readonly #passes = new Map<SessionId, Pass>()
  readonly #deadlines = new Deadlines<SessionId>()
  readonly #revocations = new Revocations()

  /** Without a verifier no session can be refreshed; without a feed, only this process revokes. */
  constructor(
    ports: AccessPorts,
    verifier: TokenVerifier | undefined,
    feed: RevocationFeed | undefined,
  ) {
    this.#ports = ports
    this.#verifier = verifier
    this.#feed = feed
    feed?.onRevoked((revocations) => this.#onRevoked(revocations))
  }

  /** A session begins or is resumed, with what its token gives. */
  open(session: SessionId, pass: Pass | undefined): void {
    const before = this.#passes.get(session)?.grants
    if (!pass) return
    this.#passes.set(session, pass)
    this.#ports.granted(session, pass.grants)
    this.#deadlines.set(session, noticeAt(pass))
    const holder = this.#ports.holder(session)
    if (holder && before && before !== pass.grants) this.#ports.grantsChanged(holder, pass.grants)
  }

  close(session: SessionId): void {
    this.#passes.delete(session)
    this.#deadlines.set(session, undefined)
  }

  grants(session: SessionId): Grants {
    return this.#passes.get(session)?.grants ?? defaultGrants
  }

  /** Why a request is refused for want of a grant. */
  refusal<T extends ClientRequestType>(session: SessionId, type: T, data: ClientRequestData<T>) {
    return refusal(this.grants(session), type, data)
  }

  /** Verifies a token and looks for its revocation. */
  async admit(token: string): Promise<Result<Claims>> {
    if (!this.#verifier) return fail('unauthorized', { field: 'token' })
    const claims = await this.#verifier.verify(token)
    if (!claims.ok) return claims
    const { user, pass } = claims.data
    return this.#revocations.covers(user, pass) ? fail('revoked', { field: 'token' }) : claims
  }

  /** Gives a running session a fresh token of the same user and device. */
  async refresh(
    session: SessionId,
    token: string,
  ): Promise<Result<{ grants: Grants; expiresAt: Millis }>> {
    const claims = await this.admit(token)
    if (!claims.ok) return claims
    // The session may have ended while the token was verified.
    const holder = this.#ports.holder(session)
    if (!holder) return fail('session-gone')
    const { user, device, pass } = claims.data
    if (user !== holder.user || (device !== undefined && device !== holder.device)) {
      const message = 'The token is for another user or device.'
      return fail('unauthorized', { message, field: 'data.token' })
    }
    this.open(session, pass)
    return ok({ grants: pass.grants, expiresAt: pass.expiresAt })
  }

  /** Withdraws tokens; the sessions that they hold open end at once. Returns how many. */
  revoke(target: RevocationTarget): number {
    const at = this.#ports.now()
    this.#revocations.add(target, at)
    this.#feed?.share({ target, at })
    const ended = [...this.#passes].filter(([session, { tokenId }]) => {
      if ('tokenId' in target) return tokenId === target.tokenId
      return this.#ports.holder(session)?.user === target.user
    })
    for (const [session] of ended) this.#ports.close(session, 'revoked', false)
    return ended.length
  }

  /** Another process has withdrawn tokens, which sessions here may be open by. */
  #onRevoked(revocations: readonly Revocation[]): void {
    for (const { target, at } of revocations) this.#revocations.add(target, at)
    for (const [session, pass] of [...this.#passes]) {
      const holder = this.#ports.holder(session)
      if (holder && this.#revocations.covers(holder.user, pass)) {
        this.#ports.close(session, 'revoked', false)
      }
    }
  }

  /** Lets everything that is due happen. */
  tick(now: Millis): void {
    for (const session of this.#deadlines.takeDue(now)) {
      const expiresAt = this.#passes.get(session)?.expiresAt
      if (expiresAt === undefined) continue
      if (now >= expiresAt) {
        this.#ports.close(session, 'token-expired', true)
      } else {
        this.#deadlines.set(session, expiresAt)
        this.#ports.tell(session, { type: 'session.expiring', data: { expiresAt } })
      }
    }
  }

  nextDeadline(): Millis | undefined {
    return this.#deadlines.next()
  }
}

function noticeAt({ expiresAt }: Pass): Millis {
  return expiresAt - EXPIRY_NOTICE_MS
}
