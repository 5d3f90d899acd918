import type { CallView, Millis, ParticipantId } from '@parley/protocol'
import type { Clock } from '../ports.ts'
import type { FrameEpoch } from './frame-keys.ts'
import { Overdue } from './overdue.ts'
import { ReadyMembers } from './ready-members.ts'
import type { EpochMessage } from './ready-members.ts'

/** What a proof is made with. */
export interface EpochProofPorts {
  readonly self: ParticipantId
  readonly clock: Clock
  /** Whether this device is connected to the server. */
  readonly hears: () => boolean
  /** The epoch that the group is at, whether it is used or not. */
  readonly present: () => number | undefined
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
/** Those who ask, ask at the same time: one answer is for all of them. */
const ANSWER_EVERY_MS: Millis = 1_000

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
  #answered: { readonly message: string; readonly at: Millis } | undefined

  constructor(ports: EpochProofPorts) {
    this.#ports = ports
    const { clock, hears } = ports
    this.#unheard = new Overdue({
      ...{ clock, hears, patienceMs: ASK_AFTER_MS },
      tell: () => this.#say('ready?', this.#epoch?.epoch),
    })
    this.#silent = new Overdue({
      ...{ clock, hears, patienceMs: SILENT_AFTER_MS },
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

  /** This device is in no group: what was said in the one before says nothing of the next. */
  forget(): void {
    this.#ready.forget()
    this.#answered = undefined
    this.#installed = undefined
  }

  /** Frames of the epoch can be opened here. */
  installed(epoch: bigint): void {
    this.#installed = epoch
    this.#say('ready', epoch)
    this.#look()
  }

  /** Takes in a member's message, if it is about this. */
  take(message: Uint8Array, from: ParticipantId): void {
    const said = this.#ready.take(message, from)
    if (!said) return
    if (said.says === 'ready?') this.#answer(said.epoch)
    this.#look()
  }

  close(): void {
    this.#unheard.close()
    this.#silent.close()
  }

  /** Who does not use an epoch has its keys all the same: that is what is asked. */
  #answer(epoch: bigint): void {
    const { clock, present } = this.#ports
    const isInstalled = epoch === this.#installed
    if (!isInstalled && BigInt(present() ?? -1) !== epoch) return
    const says = isInstalled ? 'ready' : 'here'
    const message = `${says} ${epoch}`
    const answered = this.#answered
    const now = clock.now()
    if (answered?.message === message && now - answered.at < ANSWER_EVERY_MS) return
    this.#answered = { message, at: now }
    this.#say(says, epoch)
  }

  #say(says: EpochMessage['says'], epoch: bigint | undefined): void {
    if (epoch === undefined) return
    this.#ports.send(this.#ready.message({ epoch, says })).catch(() => undefined)
  }

  #look(): void {
    const { self, allReady } = this.#ports
    const epoch = this.#epoch
    if (epoch && this.#installed === epoch.epoch) {
      const others = [...epoch.leaves.keys()].filter((id) => id !== self)
      if (this.#ready.areReady(epoch.epoch, others)) allReady(epoch.epoch)
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
      .filter((id) => id !== this.#ports.self && !this.#ready.isAt(epoch, id))
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
