/**
 * What `/readyz` answers from: each part says whether it can take new work. Liveness (`/healthz`)
 * asks only whether the process answers, so that a lost dependency never gets a healthy process,
 * and the calls it carries, killed.
 */
export class Health {
  readonly #obstacles = new Map<string, string>()

  /** `part` can take work. */
  ready(part: string): void {
    this.#obstacles.delete(part)
  }

  /** `part` cannot take work; `reason` is shown to the operator. */
  notReady(part: string, reason: string): void {
    this.#obstacles.set(part, reason)
  }

  /** Part → reason, for all that are not ready. */
  obstacles(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#obstacles)
  }

  isReady(): boolean {
    return this.#obstacles.size === 0
  }
}
