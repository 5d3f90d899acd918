import { getCiphersuiteFromName, getCiphersuiteImpl } from './library.ts'
import type { CiphersuiteImpl } from './library.ts'

export const SUITE = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'

/** An X25519 key in PKCS #8 is this much of names and lengths, and then the key. */
const PKCS8_HEADER_BYTES = 16

/**
 * The cryptography of the groups, by WebCrypto. The library reads private keys as JWK, which Firefox
 * refuses for those that were imported, as all keys of an update path are.
 */
export async function cipherSuite(): Promise<CiphersuiteImpl> {
  const suite = await getCiphersuiteImpl(getCiphersuiteFromName(SUITE))
  const hpke = {
    ...suite.hpke,
    async exportPrivateKey(key: CryptoKey) {
      const encoded = new Uint8Array(await crypto.subtle.exportKey('pkcs8', key))
      return encoded.slice(PKCS8_HEADER_BYTES)
    },
  }
  return { ...suite, hpke }
}
