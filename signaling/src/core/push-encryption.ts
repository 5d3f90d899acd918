import { createCipheriv, createECDH, hkdfSync } from 'node:crypto'

/** Length of the one record; push services take no more in all. Bytes. */
const RECORD_BYTES = 4_096
const SALT_BYTES = 16
const PUBLIC_KEY_BYTES = 65
const TAG_BYTES = 16
/** Closes the last record, before the padding of which we need none. */
const LAST_RECORD = Uint8Array.of(2)

/** Header of the record: salt, its size, the length of the key, the key (RFC 8188 §2.1). */
const HEADER_BYTES = SALT_BYTES + 4 + 1 + PUBLIC_KEY_BYTES

/** What fits into one push message. Bytes. */
const MOST_PLAINTEXT_BYTES = RECORD_BYTES - HEADER_BYTES - TAG_BYTES - 1

/** The keys of a subscription, as bytes. */
export interface PushKeys {
  /** The browser's public key: an uncompressed point of P-256. */
  readonly p256dh: Uint8Array
  readonly auth: Uint8Array
}

/** What must be random, and used for one message only. */
export interface PushRandomness {
  readonly salt: Uint8Array
  /** Private key on P-256 of this message. */
  readonly privateKey: Uint8Array
}

/**
 * Encrypts a message for one subscription (RFC 8291, `aes128gcm`): the push service carries what only
 * the browser can read. Throws where the browser's key is no point of the curve, or too much is said.
 */
export function encryptPush(
  plaintext: Uint8Array,
  { p256dh, auth }: PushKeys,
  { salt, privateKey }: PushRandomness,
): Buffer {
  if (plaintext.length > MOST_PLAINTEXT_BYTES) throw new RangeError('too much for one push message')
  const ours = createECDH('prime256v1')
  ours.setPrivateKey(privateKey)
  const publicKey = ours.getPublicKey()
  const shared = ours.computeSecret(p256dh)
  const keyInfo = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, publicKey])
  const inputKey = new Uint8Array(hkdfSync('sha256', shared, auth, keyInfo, 32))
  const derive = (label: string, bytes: number) =>
    new Uint8Array(
      hkdfSync('sha256', inputKey, salt, Buffer.from(`Content-Encoding: ${label}\0`), bytes),
    )
  const cipher = createCipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12))
  const sealed = [cipher.update(plaintext), cipher.update(LAST_RECORD), cipher.final()]
  const header = Buffer.alloc(SALT_BYTES + 5)
  header.set(salt)
  header.writeUInt32BE(RECORD_BYTES, SALT_BYTES)
  header.writeUInt8(publicKey.length, SALT_BYTES + 4)
  return Buffer.concat([header, publicKey, ...sealed, cipher.getAuthTag()])
}
