import type { Plan } from './plan.ts'
import type { Progress } from './runner.ts'

/** A line without a terminal is printed this often. */
const PLAIN_EVERY_MS = 5_000

/** Where progress goes; `process.stderr` is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Shows how a run goes: one live line on a terminal, now and then a line elsewhere. */
export class ProgressLine {
  readonly #output: ProgressOutput
  readonly #plan: Plan
  #printedAtMs = -Infinity

  constructor(output: ProgressOutput, plan: Plan) {
    this.#output = output
    this.#plan = plan
  }

  show(progress: Progress): void {
    const text = progressText(progress, this.#plan)
    if (this.#output.isTTY) {
      this.#output.write(`\r\u001b[K${text}`)
    } else if (progress.elapsedMs - this.#printedAtMs >= PLAIN_EVERY_MS) {
      this.#printedAtMs = progress.elapsedMs
      this.#output.write(`${text}\n`)
    }
  }

  /** Leaves the terminal's line to what follows. */
  end(): void {
    if (this.#output.isTTY) this.#output.write('\r\u001b[K')
  }
}

/** Where a run stands, in one line. */
export function progressText(progress: Progress, { scenario, seats }: Plan): string {
  const { heldMs, clientsIn, clientsFailed, streamsFlowing } = progress
  const kinds = scenario.video ? 2 : 1
  const streams = seats.length * (scenario.participants - 1) * kinds
  const clock =
    heldMs === undefined
      ? 'coming in'
      : `${Math.round(heldMs / 1_000)} s of ${Math.round(scenario.holdMs / 1_000)} s`
  const failed = clientsFailed > 0 ? `, ${clientsFailed} failed` : ''
  return `${clock} · ${clientsIn} of ${seats.length} clients in${failed} · ${streamsFlowing} of ${streams} streams`
}
