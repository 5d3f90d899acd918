import type { ParticipantId } from '@parley/protocol'
import { utf8 } from './octets.ts'

/** Epochs that are remembered: the present one, and the next if others are there first. */
const MOST_EPOCHS = 4

/** Who has said that he can open frames of an epoch. Said under the group's own keys. */
export class ReadyMembers {
  #byEpoch: ReadonlyMap<bigint, ReadonlySet<ParticipantId>> = new Map()

  /** What this device says to the others. */
  message(epoch: bigint): Uint8Array {
    return utf8(`ready ${epoch}`)
  }

  /** Takes in a message; answers with the epoch that it is about, if it is one of these. */
  take(message: Uint8Array, from: ParticipantId): bigint | undefined {
    const digits = /^ready (\d{1,20})$/.exec(new TextDecoder().decode(message))?.[1]
    if (digits === undefined) return undefined
    const epoch = BigInt(digits)
    const ready = new Set(this.#byEpoch.get(epoch)).add(from)
    const kept = [...this.#byEpoch].filter(([other]) => other !== epoch)
    this.#byEpoch = new Map([...kept, [epoch, ready] as const].slice(-MOST_EPOCHS))
    return epoch
  }

  includes(epoch: bigint, all: readonly ParticipantId[]): boolean {
    const ready = this.#byEpoch.get(epoch)
    return all.every((id) => ready?.has(id) === true)
  }
}
