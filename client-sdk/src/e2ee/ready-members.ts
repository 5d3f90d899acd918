import type { ParticipantId } from '@parley/protocol'
import { utf8 } from './octets.ts'

/** Epochs that are remembered: the present one, and the next if others are there first. */
const MOST_EPOCHS = 4

/** What a member says of an epoch: that he can open frames of it, or that he asks who can. */
export interface ReadyMessage {
  readonly epoch: bigint
  readonly asks: boolean
}

/** Who has said that he can open frames of an epoch. Said under the group's own keys. */
export class ReadyMembers {
  #byEpoch: ReadonlyMap<bigint, ReadonlySet<ParticipantId>> = new Map()

  /** What this device says to the others. */
  message({ epoch, asks }: ReadyMessage): Uint8Array {
    return utf8(`${asks ? 'ready?' : 'ready'} ${epoch}`)
  }

  /** Takes in a message; answers with what it says, if it is one of these. */
  take(message: Uint8Array, from: ParticipantId): ReadyMessage | undefined {
    const [, question, digits] =
      /^ready(\??) (\d{1,20})$/.exec(new TextDecoder().decode(message)) ?? []
    if (digits === undefined) return undefined
    const epoch = BigInt(digits)
    const asks = question === '?'
    // Who asks says nothing of himself.
    if (!asks) this.#add(epoch, from)
    return { epoch, asks }
  }

  includes(epoch: bigint, all: readonly ParticipantId[]): boolean {
    const ready = this.#byEpoch.get(epoch)
    return all.every((id) => ready?.has(id) === true)
  }

  #add(epoch: bigint, from: ParticipantId): void {
    const ready = new Set(this.#byEpoch.get(epoch)).add(from)
    const kept = [...this.#byEpoch].filter(([other]) => other !== epoch)
    this.#byEpoch = new Map([...kept, [epoch, ready] as const].slice(-MOST_EPOCHS))
  }
}
