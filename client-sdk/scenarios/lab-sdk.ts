// The SDK as stories that forge load it: with keys that the story gives out by hand instead of those
// that people agree on. It is never part of sdk.js.

import type { ParticipantId } from '@parley/protocol'
import { browserEnvironment } from '../src/browser/environment.ts'
import { CallClient as PlainClient } from '../src/client.ts'
import type { CallClientOptions } from '../src/client-options.ts'
import type { EpochCause, FrameKeys, FrameKeysListener } from '../src/e2ee/frame-keys.ts'
import { socketIoLink } from '../src/socketio/link.ts'

/** An epoch, as a story spells it out. */
interface GivenEpoch {
  readonly epoch: number
  /** All keys of the epoch follow from it. */
  readonly secret: string
  readonly ownLeaf: number
  readonly leaves: readonly (readonly [ParticipantId, number])[]
  readonly cause: EpochCause
}

/** Keys that a story gives out. */
class PresharedKeys implements FrameKeys {
  readonly installedEpochs: number[] = []
  #listener: FrameKeysListener | undefined
  #last: GivenEpoch | undefined

  listen(listener: FrameKeysListener): () => void {
    this.#listener = listener
    if (this.#last) void this.begin(this.#last)
    return () => (this.#listener = undefined)
  }

  installed(epoch: bigint): void {
    this.installedEpochs.push(Number(epoch))
  }

  renew(): void {
    throw new Error('no story seals that many frames')
  }

  async begin(given: GivenEpoch): Promise<void> {
    this.#last = given
    const text = new TextEncoder().encode(`${given.secret} ${given.epoch}`)
    const digest = await crypto.subtle.digest('SHA-256', text)
    const { ownLeaf, cause } = given
    this.#listener?.epoch({
      epoch: BigInt(given.epoch),
      baseKey: new Uint8Array(digest.slice(0, 16)),
      ownLeaf,
      leaves: new Map(given.leaves),
      cause,
    })
  }

  allReady(epoch: number): void {
    this.#listener?.allReady(BigInt(epoch))
  }
}

/** What stories steer keys by; those of the newest call. */
export let keys: PresharedKeys | undefined

/** As `CallClient`, with keys from the story. */
export class CallClient extends PlainClient {
  constructor(options: Omit<CallClientOptions, 'encryption'>) {
    super(
      { ...options, encryption: 'off' },
      {
        ...browserEnvironment(socketIoLink(options.wireFormat), options.workerUrl),
        frameKeys: () => (keys = new PresharedKeys()),
      },
    )
  }
}
