import type { ParticipantId } from '@parley/protocol'
import { utf8 } from './octets.ts'

/** Epochs that are remembered: the present one, and the next if others are there first. */
const MOST_EPOCHS = 4

/**
 * What a member says of an epoch: `ready`, that he can open frames of it; `here`, that he is at it and
 * opens none, as while he waits for his person to look at somebody; `ready?` asks who can.
 */
export interface EpochMessage {
  readonly epoch: bigint
  readonly says: 'ready' | 'here' | 'ready?'
}

/** Who has said what of an epoch. Said under the group's own keys. */
export class ReadyMembers {
  #byEpoch: ReadonlyMap<bigint, ReadonlyMap<ParticipantId, 'ready' | 'here'>> = new Map()

  /** What this device says to the others. */
  message({ epoch, says }: EpochMessage): Uint8Array {
    return utf8(`${says} ${epoch}`)
  }

  /** Takes in a message; answers with what it says, if it is one of these. */
  take(message: Uint8Array, from: ParticipantId): EpochMessage | undefined {
    const [, says, digits] =
      /^(ready\??|here) (\d{1,20})$/.exec(new TextDecoder().decode(message)) ?? []
    if (digits === undefined) return undefined
    const epoch = BigInt(digits)
    // Who asks says nothing of himself.
    if (says !== 'ready' && says !== 'here') return { epoch, says: 'ready?' }
    if (this.#said(epoch, from) !== 'ready') this.#add(epoch, from, says)
    return { epoch, says }
  }

  /** Whether all of these can open frames of the epoch. */
  areReady(epoch: bigint, all: readonly ParticipantId[]): boolean {
    return all.every((id) => this.#said(epoch, id) === 'ready')
  }

  /** Whether somebody has shown that he has the keys of the epoch. */
  isAt(epoch: bigint, id: ParticipantId): boolean {
    return this.#said(epoch, id) !== undefined
  }

  /** Another group counts its epochs anew. */
  forget(): void {
    this.#byEpoch = new Map()
  }

  #said(epoch: bigint, id: ParticipantId): 'ready' | 'here' | undefined {
    return this.#byEpoch.get(epoch)?.get(id)
  }

  #add(epoch: bigint, from: ParticipantId, says: 'ready' | 'here'): void {
    const said = new Map(this.#byEpoch.get(epoch)).set(from, says)
    const kept = [...this.#byEpoch].filter(([other]) => other !== epoch)
    this.#byEpoch = new Map([...kept, [epoch, said] as const].slice(-MOST_EPOCHS))
  }
}
