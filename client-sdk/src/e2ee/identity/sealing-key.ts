import { Aes128Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core'
import type { Millis } from '@parley/protocol'
import type { Octets } from '../octets.ts'
import type { IdentityStore } from './identity.ts'

const suite = new CipherSuite({
  kem: new DhkemP256HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes128Gcm(),
})

/** Bytes of the key that HPKE sends along with what it seals on P-256. */
export const ENCAPSULATED_BYTES = 65

/**
 * How long a device has things sealed for one key. Shorter closes earlier words sooner, and has every
 * device show a card more often.
 */
const PERIOD_MS = 7 * 24 * 60 * 60 * 1_000
/**
 * Periods after a key was replaced in which it still opens: five weeks at least, since missed calls wait
 * for 30 days where the operator says nothing. Longer opens more to who steals the device.
 */
const KEPT_PERIODS = 6

/** Where the keys of a user's device are, and what time it is. */
export interface SealingKeysPorts {
  readonly store: IdentityStore
  readonly user: string
  readonly now: () => Millis
}

/**
 * What things are sealed for a device with: keys of its own, as the one that it signs with cannot do
 * that, and a new one each week, so that who has recorded what was sealed cannot open it for good.
 * Their private halves cannot be read.
 */
export class SealingKeys {
  readonly #ports: SealingKeysPorts

  constructor(ports: SealingKeysPorts) {
    this.#ports = ports
  }

  /** The key to have things sealed for from now on (uncompressed point, 65 bytes); made when it is due. */
  async current(): Promise<Octets> {
    const { store, now } = this.#ports
    const period = Math.floor(now() / PERIOD_MS)
    const made = await this.#made()
    if (made.at(-1) !== period) {
      const algorithm = { name: 'ECDH', namedCurve: 'P-256' }
      const pair = await crypto.subtle.generateKey(algorithm, false, ['deriveBits'])
      // Where another tab was first, its key is this device's.
      await store.add(this.#nameOf(period), pair)
      await this.#keep([...made.filter((one) => one !== period), period])
    }
    const { publicKey } = await this.#pair(period)
    return new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))
  }

  /** Opens what {@link sealFor} made for one of the keys that are kept; throws for anything else. */
  async open(sealed: Uint8Array, info: Uint8Array): Promise<Uint8Array> {
    const enc = sealed.slice(0, ENCAPSULATED_BYTES)
    const bytes = sealed.slice(ENCAPSULATED_BYTES)
    for (const period of (await this.#made()).toReversed()) {
      try {
        const recipientKey = await this.#pair(period)
        return new Uint8Array(await suite.open({ recipientKey, enc, info }, bytes))
      } catch {
        // Sealed for another key, or for nobody here.
      }
    }
    throw new Error('no key of this device opens it')
  }

  /** The periods whose keys there are, in the order in which these were made. */
  async #made(): Promise<readonly number[]> {
    // Written by `#keep`.
    const made = (await this.#ports.store.get(this.#listName)) as readonly number[] | undefined
    return made ?? []
  }

  /** Remembers these keys, and forgets those that were replaced long ago. */
  async #keep(made: readonly number[]): Promise<void> {
    const { store } = this.#ports
    const latest = made.at(-1) ?? 0
    const isOver = (index: number) => latest - (made[index + 1] ?? latest) >= KEPT_PERIODS
    const kept = made.filter((_, index) => !isOver(index))
    await store.set(this.#listName, kept)
    for (const [index, period] of made.entries()) {
      if (isOver(index)) await store.delete(this.#nameOf(period))
    }
  }

  async #pair(period: number): Promise<CryptoKeyPair> {
    // The store gives back what was put there under this name.
    return (await this.#ports.store.get(this.#nameOf(period))) as CryptoKeyPair
  }

  get #listName(): string {
    return `sealing/${this.#ports.user}/made`
  }

  #nameOf(period: number): string {
    return `sealing/${this.#ports.user}/${period}`
  }
}

/** Seals for a device (HPKE, RFC 9180, base mode); `info` must be known to whoever opens it. */
export async function sealFor(
  publicKey: Uint8Array,
  message: Uint8Array,
  info: Uint8Array,
): Promise<Octets> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(publicKey)
  const { enc, ct } = await suite.seal({ recipientPublicKey, info }, message)
  return Uint8Array.of(...new Uint8Array(enc), ...new Uint8Array(ct))
}
