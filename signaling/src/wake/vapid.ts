import { createECDH, createPrivateKey, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'

/** How long a push service may take our word. It may be 24 hours at most (RFC 8292 §2). Seconds. */
const TOKEN_LIFETIME_S = 12 * 60 * 60
/** Tokens are used for half of that, then made anew. */
const TOKEN_REUSE_MS = (TOKEN_LIFETIME_S * 1_000) / 2
/** Push services whose tokens are kept; there are a handful in the world. */
const MOST_TOKENS = 100

/** A key that push services know this server by (RFC 8292). */
export class VapidKey {
  /** The uncompressed point as base64url: what `PushManager.subscribe` takes. */
  readonly publicKey: string
  readonly #key: KeyObject
  readonly #subject: string
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>()

  /** `privateKey`: 32 bytes as base64url. `subject`: a mailto: or https: address of the operator. */
  constructor(privateKey: string, subject: string) {
    const ecdh = createECDH('prime256v1')
    ecdh.setPrivateKey(Buffer.from(privateKey, 'base64url'))
    const point = ecdh.getPublicKey()
    this.publicKey = point.toString('base64url')
    this.#subject = subject
    this.#key = createPrivateKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        d: Buffer.from(privateKey, 'base64url').toString('base64url'),
        x: point.subarray(1, 33).toString('base64url'),
        y: point.subarray(33).toString('base64url'),
      },
    })
  }

  /** The `authorization` header for an endpoint. */
  async authorization(endpoint: URL, now: number): Promise<string> {
    const { origin } = endpoint
    const known = this.#tokens.get(origin)
    const token = known && known.until > now ? known.token : await this.#sign(origin, now)
    return `vapid t=${token}, k=${this.publicKey}`
  }

  async #sign(audience: string, now: number): Promise<string> {
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
      .setAudience(audience)
      .setSubject(this.#subject)
      .setExpirationTime(Math.floor(now / 1_000) + TOKEN_LIFETIME_S)
      .sign(this.#key)
    const [oldest] = this.#tokens.keys()
    if (oldest !== undefined && this.#tokens.size >= MOST_TOKENS) this.#tokens.delete(oldest)
    this.#tokens.set(audience, { token, until: now + TOKEN_REUSE_MS })
    return token
  }
}

/** A fresh private key as base64url, for `PARLEY_PUSH_PRIVATE_KEY`. */
export function newPushKey(): string {
  return randomPrivateKey().toString('base64url')
}

/** A private key on P-256, of 32 bytes. */
export function randomPrivateKey(): Buffer {
  const ecdh = createECDH('prime256v1')
  ecdh.generateKeys()
  // Leading zeros are left out there, and belong to the key.
  return Buffer.concat([Buffer.alloc(32), ecdh.getPrivateKey()]).subarray(-32)
}

/** Whether a text is a private key on P-256. */
export function isPushKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length !== 32 || bytes.toString('base64url') !== text.replace(/=+$/, '')) return false
  try {
    createECDH('prime256v1').setPrivateKey(bytes)
    return true
  } catch {
    return false
  }
}

/** Randomness of one message. */
export function pushRandomness() {
  return { salt: randomBytes(16), privateKey: randomPrivateKey() }
}
