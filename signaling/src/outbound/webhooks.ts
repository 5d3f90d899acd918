import type { CallId, Millis } from '@parley/protocol'
import type { Log, Secret } from '@parley/service'
import { retryAfter } from '../core/backoff.ts'
import type { Outbound } from './post.ts'
import { signatureHeaders } from './signature.ts'

/** One thing that the app is told. */
export interface WebhookEvent {
  readonly type: string
  /** Events of one call are told in their order. */
  readonly call: CallId
  readonly at: Millis
  readonly data: unknown
}

/** What became of an event. */
export type WebhookOutcome = 'delivered' | 'retried' | 'given-up' | 'dropped'

/** What sending needs. */
export interface WebhooksOptions {
  readonly url: URL
  readonly secrets: readonly Secret[]
  readonly outbound: Outbound
  readonly log: Log
  readonly now: () => Millis
  readonly random01: () => number
  readonly newId: () => string
  readonly count: (outcome: WebhookOutcome) => void
}

interface Queued {
  readonly id: string
  readonly body: string
  readonly type: string
}

/** Events that wait, of all calls together; beyond that new ones are lost and counted. */
const MOST_WAITING = 10_000

/** How long a process that stops goes on telling. */
const DRAIN_MS = 5_000

/**
 * Tells the app's server: each event at least once while this process lives, those of one call in
 * their order, with the same id at each attempt.
 */
export class Webhooks {
  readonly #options: WebhooksOptions
  readonly #lanes = new Map<CallId, Queued[]>()
  readonly #pauses = new Set<() => void>()
  #waiting = 0
  #stopped = false
  #onIdle: () => void = () => undefined

  constructor(options: WebhooksOptions) {
    this.#options = options
  }

  send({ type, call, at, data }: WebhookEvent): void {
    const { log, newId, count } = this.#options
    if (this.#stopped || this.#waiting >= MOST_WAITING) {
      log.error({ event: type, call }, 'too many webhook events wait; one is lost')
      count('dropped')
      return
    }
    const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), data })
    const queued = { id: `evt_${newId()}`, body, type }
    this.#waiting += 1
    const lane = this.#lanes.get(call)
    if (lane) {
      lane.push(queued)
      return
    }
    const fresh = [queued]
    this.#lanes.set(call, fresh)
    void this.#work(call, fresh)
  }

  /** Gives what waits a few seconds, without its pauses, then lets it go. */
  async close(): Promise<void> {
    this.#stopped = true
    for (const end of [...this.#pauses]) end()
    if (this.#waiting === 0) return
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#onIdle = () => resolve(undefined)
    const timer = setTimeout(() => resolve(undefined), DRAIN_MS)
    await promise
    clearTimeout(timer)
  }

  async #work(call: CallId, lane: Queued[]): Promise<void> {
    for (let next = lane[0]; next; next = lane[0]) {
      await this.#deliver(next)
      lane.shift()
      this.#waiting -= 1
    }
    this.#lanes.delete(call)
    if (this.#waiting === 0) this.#onIdle()
  }

  async #deliver(event: Queued): Promise<void> {
    const { log, count, random01 } = this.#options
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#post(event)
      if (answer.status >= 200 && answer.status < 300) {
        count('delivered')
        return
      }
      const pause = retryAfter(attempt, random01(), answer.askedMs)
      // 410: the receiver is not there any more.
      if (pause === undefined || answer.status === 410 || (this.#stopped && attempt > 1)) {
        log.error(
          { event: event.type, id: event.id, status: answer.status },
          'a webhook is given up',
        )
        count('given-up')
        return
      }
      count('retried')
      log.debug({ event: event.type, status: answer.status, attempt }, 'a webhook failed; again')
      await this.#pause(pause)
    }
  }

  async #post({
    id,
    body,
  }: Queued): Promise<{ readonly status: number; readonly askedMs: number }> {
    const { url, secrets, outbound, now } = this.#options
    const timestampS = Math.floor(now() / 1_000)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Parley-Webhooks/1',
      ...signatureHeaders(secrets, { id, timestampS, body }),
    }
    try {
      const answer = await outbound.post({ url, headers, body, publicOnly: false })
      return { status: answer.status, askedMs: (answer.retryAfterS ?? 0) * 1_000 }
    } catch {
      return { status: 0, askedMs: 0 }
    }
  }

  #pause(ms: Millis): Promise<unknown> {
    if (this.#stopped) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<undefined>()
    const end = () => {
      clearTimeout(timer)
      this.#pauses.delete(end)
      resolve(undefined)
    }
    const timer = setTimeout(end, ms)
    timer.unref()
    this.#pauses.add(end)
    return promise
  }
}
