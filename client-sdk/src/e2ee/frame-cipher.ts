import { encodeSframeHeader } from '../core/frames/sframe-header.ts'
import type { SframeHeader } from '../core/frames/sframe-header.ts'

/** What an RFC 9605 cipher suite is made of, for those with AES-GCM. */
export interface CipherSuite {
  readonly number: number
  readonly hash: 'SHA-256' | 'SHA-512'
  readonly keyBits: number
}

/** The one in use: AES_128_GCM_SHA256_128. */
export const AES_128_GCM: CipherSuite = { number: 4, hash: 'SHA-256', keyBits: 128 }

/** The keys of one key id. They cannot be taken out of the browser. */
export interface FrameKey {
  readonly aead: CryptoKey
  /** XORed with the counter it is the nonce. */
  readonly salt: Uint8Array<ArrayBuffer>
}

const NONCE_BYTES = 12
export const TAG_BYTES = 16
const KEY_LABEL = 'SFrame 1.0 Secret key '
const SALT_LABEL = 'SFrame 1.0 Secret salt '
const NO_SALT = new Uint8Array(0)

/** Takes in a base key, from which those of each key id are made; it cannot be read again. */
export function importBaseKey(bytes: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits', 'deriveKey'])
}

/** Makes the key and salt of one key id. RFC 9605 §4.4.2. */
export async function deriveFrameKey(
  base: CryptoKey,
  kid: bigint,
  suite: CipherSuite = AES_128_GCM,
): Promise<FrameKey> {
  const hkdf = (label: string) => {
    const info = labelOf(label, kid, suite.number)
    return { name: 'HKDF', hash: suite.hash, salt: NO_SALT, info }
  }
  const [aead, salt] = await Promise.all([
    crypto.subtle.deriveKey(
      hkdf(KEY_LABEL),
      base,
      { name: 'AES-GCM', length: suite.keyBits },
      false,
      ['encrypt', 'decrypt'],
    ),
    crypto.subtle.deriveBits(hkdf(SALT_LABEL), base, NONCE_BYTES * 8),
  ])
  return { aead, salt: new Uint8Array(salt) }
}

/** Seals one plaintext: header, ciphertext, tag. RFC 9605 §4.4.3. */
export async function sealSframe(
  key: FrameKey,
  header: SframeHeader,
  { metadata, secret }: { readonly metadata: Uint8Array; readonly secret: Uint8Array },
): Promise<Uint8Array<ArrayBuffer>> {
  const encoded = encodeSframeHeader(header)
  const ciphertext = await crypto.subtle.encrypt(
    aesGcm(key.salt, header.ctr, concat(encoded, metadata)),
    key.aead,
    // Never shared memory: it came from an encoder.
    secret as BufferSource,
  )
  return concat(encoded, new Uint8Array(ciphertext))
}

/** Opens what follows `header` in `sframe`; undefined if it is not authentic. RFC 9605 §4.4.4. */
export async function openSframe(
  key: FrameKey,
  header: SframeHeader & { readonly length: number },
  { metadata, sframe }: { readonly metadata: Uint8Array; readonly sframe: Uint8Array },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const aad = concat(sframe.subarray(0, header.length), metadata)
  try {
    const secret = await crypto.subtle.decrypt(
      aesGcm(key.salt, header.ctr, aad),
      key.aead,
      // Never shared memory: it came from the network.
      sframe.subarray(header.length) as BufferSource,
    )
    return new Uint8Array(secret)
  } catch {
    return undefined
  }
}

/** Joins two pieces of bytes. */
export function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}

function aesGcm(salt: Uint8Array, ctr: bigint, additionalData: Uint8Array<ArrayBuffer>) {
  const iv = new Uint8Array(salt)
  const view = new DataView(iv.buffer)
  view.setBigUint64(4, view.getBigUint64(4) ^ ctr)
  return { name: 'AES-GCM', iv, additionalData, tagLength: TAG_BYTES * 8 }
}

/** Label, key id in eight bytes, suite in two. */
function labelOf(label: string, kid: bigint, suite: number): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(label)
  const bytes = new Uint8Array(text.length + 10)
  bytes.set(text)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(text.length, kid)
  view.setUint16(text.length + 8, suite)
  return bytes
}
