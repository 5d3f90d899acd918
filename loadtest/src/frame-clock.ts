/** Frames that are made up for after the program was late; what is older is skipped. */
const MOST_CATCH_UP = 25

/** Which frames are due at a time. Frame n is due at `n × intervalMs` after the start. */
export function framesDue(
  { sent, intervalMs }: { readonly sent: number; readonly intervalMs: number },
  elapsedMs: number,
): { readonly from: number; readonly to: number; readonly skipped: number } {
  const to = Math.max(sent, Math.floor(elapsedMs / intervalMs) + 1)
  const from = Math.max(sent, to - MOST_CATCH_UP)
  return { from, to, skipped: from - sent }
}

/**
 * Calls `onFrame` with the number of each frame when it is due. Counts from its start rather than
 * from its last call, so that lateness does not add up.
 */
export class FrameClock {
  readonly #intervalMs: number
  readonly #onFrame: (frame: number) => void
  #startedAtMs = 0
  #sent = 0
  #skipped = 0
  #timer: NodeJS.Timeout | undefined

  constructor(intervalMs: number, onFrame: (frame: number) => void) {
    this.#intervalMs = intervalMs
    this.#onFrame = onFrame
  }

  /** Frames that were never sent because the program was too late for them. */
  get skipped(): number {
    return this.#skipped
  }

  get sent(): number {
    return this.#sent - this.#skipped
  }

  start(): void {
    this.#startedAtMs = performance.now()
    this.#run()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #run(): void {
    const elapsedMs = performance.now() - this.#startedAtMs
    const due = framesDue({ sent: this.#sent, intervalMs: this.#intervalMs }, elapsedMs)
    this.#skipped += due.skipped
    for (let frame = due.from; frame < due.to; frame++) this.#onFrame(frame)
    this.#sent = due.to
    const nextMs = this.#startedAtMs + this.#sent * this.#intervalMs - performance.now()
    this.#timer = setTimeout(() => this.#run(), Math.max(0, nextMs))
  }
}
