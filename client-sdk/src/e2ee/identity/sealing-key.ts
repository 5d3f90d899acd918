import { Aes128Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core'
import type { Octets } from '../octets.ts'
import type { IdentityStore } from './identity.ts'

const suite = new CipherSuite({
  kem: new DhkemP256HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes128Gcm(),
})

/** Bytes of the key that HPKE sends along with what it seals on P-256. */
export const ENCAPSULATED_BYTES = 65

/** What things are sealed for a device with: its own key, as the one that it signs with cannot do that. */
export interface SealingKey {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Octets
  /** Opens what {@link sealFor} made; throws for anything else. */
  open(sealed: Uint8Array, info: Uint8Array): Promise<Uint8Array>
}

/** Gets or makes the sealing key of a user's device, whose private half cannot be read. */
export async function openSealingKey(store: IdentityStore, user: string): Promise<SealingKey> {
  const name = `sealing/${user}`
  const kept = await store.get(name)
  const algorithm = { name: 'ECDH', namedCurve: 'P-256' }
  const fresh = () => crypto.subtle.generateKey(algorithm, false, ['deriveBits'])
  // The store gives back what was put there under this name.
  const pair = (kept ?? (await store.add(name, await fresh()))) as CryptoKeyPair
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)),
    async open(sealed, info) {
      const enc = sealed.slice(0, ENCAPSULATED_BYTES)
      const bytes = sealed.slice(ENCAPSULATED_BYTES)
      return new Uint8Array(await suite.open({ recipientKey: pair, enc, info }, bytes))
    },
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
