import type { CallView, Millis, ParticipantId } from '@parley/protocol'
import type { Clock } from '../ports.ts'
import type { FrameEpoch } from './frame-keys.ts'
import { Overdue } from './overdue.ts'
import { ReadyMembers } from './ready-members.ts'

/** What a proof is made with. */
export interface EpochProofPorts {
  readonly self: ParticipantId
  readonly clock: Clock
  /** Seals a message for the members of the present epoch. */
  readonly send: (message: Uint8Array) => Promise<void>
  /** All who are here can open frames of the epoch. */
  readonly allReady: (epoch: bigint) => void
  /** Somebody who is here has not confirmed the epoch, though he was asked, or is not even in it. */
  readonly silent: (participant: ParticipantId, detail: string) => void
}

/** Who is there confirms an epoch in a second or two; a message may have been lost. */
const ASK_AFTER_MS: Millis = 8_000
/** Longer than the server takes to see that somebody is away: sleeping telephones are no alarm. */
const SILENT_AFTER_MS: Millis = 20_000

/**
 * Has the members prove to each other, under the group's own keys, that they are at the same epoch.
 * Who is here and does not may have been shown another commit, or none: the server's word is not
 * enough.
 */
export class EpochProof {
  readonly #ports: EpochProofPorts
  readonly #ready = new ReadyMembers()
  readonly #unheard: Overdue
  readonly #silent: Overdue
  #epoch: FrameEpoch | undefined
  /** The epoch whose frames can be opened here. */
  #installed: bigint | undefined
  #view: CallView | undefined

  constructor(ports: EpochProofPorts) {
    this.#ports = ports
    const { clock } = ports
    this.#unheard = new Overdue({ clock, patienceMs: ASK_AFTER_MS, tell: () => this.#say(true) })
    this.#silent = new Overdue({
      clock,
      patienceMs: SILENT_AFTER_MS,
      tell: (names) => this.#onSilent(names),
    })
  }

  update(view: CallView): void {
    this.#view = view
    this.#look()
  }

  /** The epoch that is used from now on; undefined for none. */
  begin(epoch: FrameEpoch | undefined): void {
    this.#epoch = epoch
    this.#look()
  }

  /** Frames of the epoch can be opened here. */
  installed(epoch: bigint): void {
    this.#installed = epoch
    this.#say(false)
    this.#look()
  }

  /** Takes in a member's message, if it is about this. */
  take(message: Uint8Array, from: ParticipantId): void {
    const said = this.#ready.take(message, from)
    if (!said) return
    if (said.asks && said.epoch === this.#installed) this.#say(false)
    this.#look()
  }

  close(): void {
    this.#unheard.close()
    this.#silent.close()
  }

  #say(asks: boolean): void {
    const epoch = asks ? this.#epoch?.epoch : this.#installed
    if (epoch === undefined) return
    this.#ports.send(this.#ready.message({ epoch, asks })).catch(() => undefined)
  }

  #look(): void {
    const { self, allReady } = this.#ports
    const epoch = this.#epoch
    if (epoch && this.#installed === epoch.epoch) {
      const others = [...epoch.leaves.keys()].filter((id) => id !== self)
      if (this.#ready.includes(epoch.epoch, others)) allReady(epoch.epoch)
    }
    const silent = this.#expected().map((id) => nameOf(epoch?.epoch, id))
    this.#unheard.see(silent)
    this.#silent.see(silent)
  }

  /**
   * Who should have confirmed the epoch: on the direct path nobody has to. Who is here and has no leaf
   * is expected too, or a server could show each a group without the others.
   */
  #expected(): readonly ParticipantId[] {
    const epoch = this.#epoch?.epoch
    const { participants = [], topology } = this.#view ?? {}
    if (topology?.path !== 'sfu' || epoch === undefined || epoch !== this.#installed) return []
    const here = participants.filter(
      ({ connected, leaving, onHold }) => connected && leaving !== true && !onHold,
    )
    return here
      .map(({ id }) => id)
      .filter((id) => id !== this.#ports.self && !this.#ready.includes(epoch, [id]))
  }

  #onSilent(names: readonly string[]): void {
    const { epoch, leaves } = this.#epoch ?? {}
    for (const id of this.#expected().filter((one) => names.includes(nameOf(epoch, one)))) {
      const what = leaves?.has(id) === true ? 'has not confirmed' : 'has no part in'
      this.#ports.silent(id, `${what} the keys of epoch ${String(epoch)}`)
    }
  }
}

function nameOf(epoch: bigint | undefined, participant: ParticipantId): string {
  return `${String(epoch)} ${participant}`
}
