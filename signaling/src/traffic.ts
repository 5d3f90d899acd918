import type { Millis, SessionId, UserId } from '@parley/protocol'
import { fail, limits } from '@parley/protocol'
import type { BucketLimit } from './core/admission.ts'
import { BucketTable } from './core/bucket-table.ts'
import { isMessage } from './requests/message-requests.ts'

/** A user's devices together may do as much as this many sessions. */
const SESSIONS_PER_USER = 4

/** Keys of either kind remembered at once. */
const MOST_KEYS = 200_000

const messages = { burst: limits.requestBurst, perSecond: limits.requestsPerSecond }
/** Messages that go on to others cost them something, too, so there are fewer. */
const passedOn = { burst: limits.messageBurst, perSecond: limits.messagesPerSecond }
const bytes = { burst: limits.requestBytesBurst, perSecond: limits.requestBytesPerSecond }

/** A client that takes no refusal for an answer is one that has lost its mind, or never had a good one. */
const refusals = { burst: 2 * messages.burst, perSecond: messages.perSecond }

/** What becomes of a request, by how much its session and user have asked lately. */
export type TrafficVerdict =
  | { readonly type: 'admitted' }
  | { readonly type: 'refused'; readonly retryAfterMs: Millis }
  /** It goes on asking after many refusals: its socket is closed. */
  | { readonly type: 'expelled'; readonly retryAfterMs: Millis }

/** Bounds what sessions and users send, in messages and in bytes. */
export class Traffic {
  readonly #sessions = new BucketTable<SessionId>(messages, MOST_KEYS)
  readonly #sessionBytes = new BucketTable<SessionId>(bytes, MOST_KEYS)
  readonly #passedOn = new BucketTable<SessionId>(passedOn, MOST_KEYS)
  readonly #refusals = new BucketTable<SessionId>(refusals, MOST_KEYS)
  readonly #users = new BucketTable<UserId>(times(messages, SESSIONS_PER_USER), MOST_KEYS)
  readonly #userBytes = new BucketTable<UserId>(times(bytes, SESSIONS_PER_USER), MOST_KEYS)

  admit(session: SessionId, user: UserId, size: { bytes: number; now: Millis }): TrafficVerdict {
    const { now } = size
    const waitMs =
      this.#sessions.take(session, now) ??
      this.#sessionBytes.take(session, now, size.bytes) ??
      this.#users.take(user, now) ??
      this.#userBytes.take(user, now, size.bytes)
    if (waitMs === undefined) return { type: 'admitted' }
    const patience = this.#refusals.take(session, now)
    return { type: patience === undefined ? 'refused' : 'expelled', retryAfterMs: waitMs }
  }

  /** Refuses a request that would be passed on to others too soon after the ones before. */
  refusal(session: SessionId, type: string, now: Millis) {
    const retryAfterMs = isMessage(type) ? this.#passedOn.take(session, now) : undefined
    if (retryAfterMs === undefined) return undefined
    return fail('rate-limited', { limit: limits.messagesPerSecond, retryAfterMs })
  }

  close(session: SessionId): void {
    this.#sessions.delete(session)
    this.#sessionBytes.delete(session)
    this.#passedOn.delete(session)
    this.#refusals.delete(session)
  }
}

function times({ burst, perSecond }: BucketLimit, factor: number): BucketLimit {
  return { burst: burst * factor, perSecond: perSecond * factor }
}
