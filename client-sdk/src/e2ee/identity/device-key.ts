import type { Octets } from '../octets.ts'

/**
 * What a device is known by: an ECDSA key on P-256, the one curve that every browser keeps
 * non-extractable in IndexedDB.
 */
export interface DeviceKey {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Octets
  sign(message: Uint8Array): Promise<Octets>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const

/** Length of a public key: a byte for the form, then both coordinates. */
export const PUBLIC_KEY_BYTES = 65

/** Makes a key pair whose private half cannot be read, not even by this page. */
export function generateDeviceKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify'])
}

export async function deviceKeyOf(pair: CryptoKeyPair): Promise<DeviceKey> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return {
    publicKey,
    async sign(message) {
      const bytes = Uint8Array.from(message)
      return new Uint8Array(await crypto.subtle.sign(SIGNING, pair.privateKey, bytes))
    },
  }
}

/** Whether `signature` over `message` was made with the private half of `publicKey`. */
export async function verifies(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  try {
    const raw = Uint8Array.from(publicKey)
    const key = await crypto.subtle.importKey('raw', raw, ALGORITHM, false, ['verify'])
    const bytes = Uint8Array.from(message)
    return await crypto.subtle.verify(SIGNING, key, Uint8Array.from(signature), bytes)
  } catch {
    // Bytes that are no key at all.
    return false
  }
}
