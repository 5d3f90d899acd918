import type { AnswerFrame, Millis, SessionId } from '@parley/protocol'
import { limits } from '@parley/protocol'

interface Kept {
  readonly answer: Promise<AnswerFrame>
  readonly until: Millis
}

/**
 * Answers by request id, so that a request sent again after a lost socket is answered, not repeated.
 * Bounded in number and age; the oldest go first.
 */
class Answers {
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

/** The answers of each session; made when it asks for the first time, as most are idle. */
export class AnswerBook {
  readonly #answers = new Map<SessionId, Answers>()

  of(session: SessionId): Answers {
    const known = this.#answers.get(session)
    if (known) return known
    const answers = new Answers()
    this.#answers.set(session, answers)
    return answers
  }

  forget(session: SessionId): void {
    this.#answers.delete(session)
  }
}
