import type { Log } from '@parley/service'
import type { RefusalCause } from '../core/peer-policy.ts'

/** One rule is named once in this time; scanners try thousands of peers. */
const QUIET_MS = 60_000
const MAX_RULES = 1_024

const advice: Readonly<Record<RefusalCause, string>> = {
  denied: 'a peer was refused: PARLEY_TURN_DENY_PEERS lists it',
  default:
    'a peer was refused: its range is not public; if calls need it, add it to PARLEY_TURN_ALLOW_PEERS',
  ownAddress:
    'a peer was refused: it is an address of this server; if calls need it, add it to PARLEY_TURN_ALLOW_PEERS',
  ownListener: 'a peer was refused: it is a listener of this server, which is never relayed to',
}

/** Tells the operator which rule refuses peers, without their addresses and without floods. */
export class RefusalLog {
  readonly #log: Log
  readonly #notedAt = new Map<string, number>()

  constructor(log: Log) {
    this.#log = log
  }

  note(
    { cause, rule }: { readonly cause: RefusalCause; readonly rule: string },
    now: number,
  ): void {
    const last = this.#notedAt.get(rule)
    if (last !== undefined && now - last < QUIET_MS) return
    if (this.#notedAt.size >= MAX_RULES) this.#notedAt.clear()
    this.#notedAt.set(rule, now)
    this.#log.info({ rule }, advice[cause])
  }
}
