import type { ParticipantId } from '@parley/protocol'
import { sameDevice } from '../core/group-needs.ts'
import type { Seat } from '../core/group-needs.ts'
import type { Clock } from '../ports.ts'
import { GroupError } from './group-key-agreement.ts'
import type { GroupMember } from './group-key-agreement.ts'
import type { GroupAlarm } from './group-alarms.ts'

/** What the members' mail is read with. */
export interface MemberMailPorts {
  readonly clock: Clock
  /** Opens a message with the group as it stands; undefined while there is none. */
  readonly open: (
    sealed: string,
  ) => Promise<{ readonly message: Uint8Array; readonly from: GroupMember } | undefined>
  readonly epoch: () => number | undefined
  readonly seatOf: (participant: ParticipantId) => Seat | undefined
  readonly deliver: (message: Uint8Array, from: ParticipantId) => void
  /** Somebody is at a later epoch than this device. */
  readonly behind: () => void
  readonly alarm: (kind: GroupAlarm['kind'], detail: string) => void
}

/** Somebody may be ahead of us for so long; then the server keeps commits from us. */
const WITHHELD_AFTER_MS = 3_000
/** Messages of later epochs that are kept until we are there. */
const MOST_EARLY = 64

/** Reads what members seal for each other, and says whose it is by the key that signed it. */
export class MemberMail {
  readonly #ports: MemberMailPorts
  #early: readonly (readonly [from: ParticipantId, sealed: string])[] = []
  #cancelWithheld: (() => void) | undefined

  constructor(ports: MemberMailPorts) {
    this.#ports = ports
  }

  async take(from: ParticipantId, sealed: string): Promise<void> {
    const { open, seatOf, deliver, alarm } = this.#ports
    try {
      const opened = await open(sealed)
      // Those who are in may be faster than the welcome.
      if (!opened) this.#keepEarly(from, sealed)
      const seat = seatOf(from)
      // Who has just left may have something on the way.
      if (!opened || !seat) return
      if (!sameDevice(seat, opened.from)) {
        throw new GroupError(`a message of ${opened.from.user} in the name of ${seat.user}`)
      }
      deliver(opened.message, from)
    } catch (error) {
      const kind = error instanceof GroupError ? error.kind : 'refused'
      if (kind === 'ahead') {
        this.#keepEarly(from, sealed)
        this.#onAhead()
      } else if (kind !== 'past') alarm('bad-message', error instanceof Error ? error.message : '')
    }
  }

  /** The group is at another epoch: what came too early may be read now. */
  moved(): void {
    this.#stopWaiting()
    const early = this.#early
    this.#early = []
    for (const [from, sealed] of early) void this.take(from, sealed)
  }

  /** The group was given up, and what is kept for it is void. */
  forget(): void {
    this.#stopWaiting()
    this.#early = []
  }

  /** Its commit is on the way, or is kept from us. */
  #onAhead(): void {
    const { clock, epoch, behind, alarm } = this.#ports
    const before = epoch()
    behind()
    this.#cancelWithheld ??= clock.after(WITHHELD_AFTER_MS, () => {
      this.#cancelWithheld = undefined
      if (before !== undefined && epoch() === before) {
        alarm('withheld-commit', `others are past epoch ${before}`)
      }
    })
  }

  #keepEarly(from: ParticipantId, sealed: string): void {
    this.#early = [...this.#early, [from, sealed] as const].slice(-MOST_EARLY)
  }

  #stopWaiting(): void {
    this.#cancelWithheld?.()
    this.#cancelWithheld = undefined
  }
}
