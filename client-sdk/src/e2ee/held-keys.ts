import type { ParticipantId, TrackSource } from '@parley/protocol'
import { encodeKeyId } from '../core/frames/key-id.ts'
import type { KeyId } from '../core/frames/key-id.ts'
import { ReplayWindow } from '../core/frames/replay-window.ts'
import { deriveFrameKey, importBaseKey } from './frame-cipher.ts'
import type { FrameKey } from './frame-cipher.ts'
import type { EpochSecret } from './worker-messages.ts'

/** The last counter of a key: a nonce of it never comes twice. */
export const LAST_COUNTER = 0xffff_ffff

/** A new epoch is asked for here; in time, at 90 frames a second, for two days of refusals. */
const RENEW_AT = 2 ** 24

/** Keys of one epoch that frames were opened with; only members can make more. */
const MOST_OPENED_KEYS = 4_096

/** A key to seal with, and the counters that are left of it: one row for all layers and senders. */
export class SealingKey {
  readonly kid: bigint
  readonly key: Promise<FrameKey>
  readonly #renew: () => void
  #next: number

  constructor(kid: bigint, key: Promise<FrameKey>, renew: () => void, first = 0) {
    this.kid = kid
    this.key = key
    this.#renew = renew
    this.#next = first
  }

  /** A counter that was never given out; undefined when there is none left. */
  takeCounter(): number | undefined {
    if (this.#next > LAST_COUNTER) return undefined
    const counter = this.#next++
    if (counter === RENEW_AT || counter === LAST_COUNTER) this.#renew()
    return counter
  }
}

/** A key that frames are opened with, and which of them have been. */
export interface OpeningKey {
  readonly key: FrameKey
  readonly window: ReplayWindow
}

/** One epoch, as the worker holds it. */
export class HeldEpoch {
  readonly slot: number
  readonly epochByte: number
  readonly #base: CryptoKey
  readonly #ownLeaf: number
  readonly #leaves: ReadonlyMap<ParticipantId, number>
  readonly #incarnation: number
  readonly #renew: () => void
  readonly #sealing = new Map<TrackSource, SealingKey>()
  readonly #opening = new Map<bigint, OpeningKey>()

  constructor(secret: EpochSecret, base: CryptoKey, renew: () => void) {
    this.slot = secret.slot
    this.epochByte = secret.epochByte
    this.#base = base
    this.#ownLeaf = secret.ownLeaf
    this.#leaves = secret.leaves
    this.#incarnation = secret.incarnation
    this.#renew = renew
  }

  /** Whether a key id is one that this participant may use for this stream. */
  admits({ leaf, source }: KeyId, stream: { participant: ParticipantId; source: TrackSource }) {
    return this.#leaves.get(stream.participant) === leaf && source === stream.source
  }

  sealingKey(source: TrackSource): SealingKey {
    const held = this.#sealing.get(source)
    if (held) return held
    const { epochByte } = this
    const incarnation = this.#incarnation
    const kid = encodeKeyId({ incarnation, source, leaf: this.#ownLeaf, epochByte })
    const made = new SealingKey(kid, deriveFrameKey(this.#base, kid), this.#renew)
    this.#sealing.set(source, made)
    return made
  }

  /** Not kept until a frame was authentic, so that made-up key ids cost no memory. */
  async openingKey(kid: bigint): Promise<OpeningKey> {
    const held = this.#opening.get(kid)
    if (held) return held
    return { key: await deriveFrameKey(this.#base, kid), window: new ReplayWindow() }
  }

  /** A frame of this key was authentic; false where its counter had been seen. */
  accept(kid: bigint, opening: OpeningKey, counter: number): boolean {
    // Two frames of a new key may have been under way at once.
    const { window } = this.#opening.get(kid) ?? opening
    if (!this.#opening.has(kid)) {
      if (this.#opening.size >= MOST_OPENED_KEYS) return false
      this.#opening.set(kid, opening)
    }
    return window.accept(counter)
  }
}

/** The epochs that the worker holds keys of, and the one that it seals with. */
export class HeldKeys {
  readonly #renew: () => void
  readonly #epochs = new Map<number, HeldEpoch>()
  #sending: number | undefined

  constructor(renew: () => void) {
    this.#renew = renew
  }

  get sending(): HeldEpoch | undefined {
    return this.#sending === undefined ? undefined : this.#epochs.get(this.#sending)
  }

  async install(secret: EpochSecret): Promise<void> {
    const base = await importBaseKey(secret.baseKey)
    secret.baseKey.fill(0)
    this.#epochs.set(secret.slot, new HeldEpoch(secret, base, this.#renew))
  }

  sendWith(slot: number): void {
    this.#sending = slot
  }

  forget(slot: number): void {
    this.#epochs.delete(slot)
  }

  byEpochByte(epochByte: number): HeldEpoch | undefined {
    return [...this.#epochs.values()].findLast((epoch) => epoch.epochByte === epochByte)
  }
}
