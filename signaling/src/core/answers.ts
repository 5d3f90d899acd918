import type { AnswerFrame, Millis } from '@parley/protocol'
import { limits } from '@parley/protocol'

interface Kept {
  readonly answer: Promise<AnswerFrame>
  readonly until: Millis
}

/**
 * Answers by request id, so that a request sent again after a lost socket is answered, not repeated.
 * Bounded in number and age; the oldest go first.
 */
export class Answers {
  readonly #kept = new Map<string, Kept>()

  /** The answer to this id if it was asked before, else what `compute` gives. */
  once(id: string, now: Millis, compute: () => Promise<AnswerFrame>): Promise<AnswerFrame> {
    this.#forget(now)
    const known = this.#kept.get(id)
    if (known) return known.answer
    const answer = compute()
    this.#kept.set(id, { answer, until: now + limits.answerCacheMs })
    return answer
  }

  #forget(now: Millis): void {
    // Insertion order is age order, so the first fresh one ends the search.
    for (const [id, { until }] of this.#kept) {
      if (until > now && this.#kept.size < limits.answerCacheSize) return
      this.#kept.delete(id)
    }
  }
}
