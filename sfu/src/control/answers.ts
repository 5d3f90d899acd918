import type { Millis, Result } from '@parley/protocol'
import { limits } from '@parley/protocol'

/**
 * Answers kept for repeats. A signaling process gives orders for all its calls over one link, so
 * there are many more of them than a client's.
 */
const KEPT_AT_MOST = 4_096

type Answer = Promise<Result<unknown>>

/** Gives the same answer to the same order id, also while the first one is under way. */
export class Answers {
  readonly #kept = new Map<string, { readonly answer: Answer; readonly forgetAt: Millis }>()

  /** The answer to `id`; `give` is called for the first of its kind only. */
  once(id: string, give: () => Answer, now: Millis): Answer {
    const known = this.#kept.get(id)
    if (known !== undefined && now < known.forgetAt) return known.answer
    this.#kept.delete(id)
    this.#forget(now)
    const answer = give()
    this.#kept.set(id, { answer, forgetAt: now + limits.answerCacheMs })
    return answer
  }

  get size(): number {
    return this.#kept.size
  }

  #forget(now: Millis): void {
    for (const [id, { forgetAt }] of this.#kept) {
      if (now < forgetAt && this.#kept.size < KEPT_AT_MOST) return
      this.#kept.delete(id)
    }
  }
}
