import { createHash } from 'node:crypto'
import type { Millis, PushSubscriptionData } from '@parley/protocol'
import { encryptPush } from '../core/push-encryption.ts'
import type { Outbound } from '../outbound/post.ts'
import { pushRandomness } from './vapid.ts'
import type { VapidKey } from './vapid.ts'

/** A message for one device. */
export interface PushMessage {
  readonly data: unknown
  /** The push service keeps the message that long for a device that is away. */
  readonly ttlS: number
  readonly urgency: 'normal' | 'high'
  /** A later message about the same thing takes the place of one that still waits. */
  readonly about: string
}

/** `gone`: the subscription is over. `failed`: the service is away or refuses. */
export type PushOutcome = 'sent' | 'gone' | 'failed'

/** A busy push service is asked once more, after this or what it says, whichever is less. */
const RETRY_AFTER_MS = 1_000

/** Length of a topic that push services take at most. Characters. */
const TOPIC_LENGTH = 32

/** What sending needs. */
export interface WebPushOptions {
  readonly key: VapidKey
  readonly outbound: Outbound
  readonly now: () => Millis
  /** Push services on private addresses too: in development and in closed networks. */
  readonly allowPrivate: boolean
  /** Waits; the answer of a test may be to wait less. */
  readonly wait: (ms: Millis) => Promise<void>
}

/** Sends Web Push messages (RFC 8030), encrypted for the browser (RFC 8291), in our name (RFC 8292). */
export class WebPush {
  readonly #options: WebPushOptions

  constructor(options: WebPushOptions) {
    this.#options = options
  }

  get publicKey(): string {
    return this.#options.key.publicKey
  }

  /** Whether the endpoint is one that this server will talk to. The name is looked up at each message. */
  accepts(endpoint: string): boolean {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
    if (!url || url.username !== '' || url.password !== '') return false
    if (this.#options.allowPrivate) return url.protocol === 'https:' || url.protocol === 'http:'
    return url.protocol === 'https:'
  }

  async send(to: PushSubscriptionData, message: PushMessage): Promise<PushOutcome> {
    const first = await this.#try(to, message)
    if (first !== 'busy') return first
    await this.#options.wait(RETRY_AFTER_MS)
    const second = await this.#try(to, message)
    return second === 'busy' ? 'failed' : second
  }

  async #try(
    { endpoint, keys }: PushSubscriptionData,
    { data, ttlS, urgency, about }: PushMessage,
  ): Promise<PushOutcome | 'busy'> {
    const { key, outbound, now, allowPrivate } = this.#options
    if (!this.accepts(endpoint)) return 'gone'
    const url = new URL(endpoint)
    try {
      const { status } = await outbound.post({
        url,
        publicOnly: !allowPrivate,
        headers: {
          authorization: await key.authorization(url, now()),
          'content-encoding': 'aes128gcm',
          'content-type': 'application/octet-stream',
          ttl: String(Math.max(0, Math.round(ttlS))),
          urgency,
          topic: topicOf(about),
        },
        body: encryptPush(
          Buffer.from(JSON.stringify(data)),
          {
            p256dh: Buffer.from(keys.p256dh, 'base64url'),
            auth: Buffer.from(keys.auth, 'base64url'),
          },
          pushRandomness(),
        ),
      })
      if (status >= 200 && status < 300) return 'sent'
      if (status === 404 || status === 410) return 'gone'
      return status === 429 || status >= 500 ? 'busy' : 'failed'
    } catch {
      return 'busy'
    }
  }
}

function topicOf(about: string): string {
  return createHash('sha256').update(about).digest('base64url').slice(0, TOPIC_LENGTH)
}
