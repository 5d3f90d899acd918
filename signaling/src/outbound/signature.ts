import { createHmac } from 'node:crypto'
import type { Secret } from '@parley/service'

/** What a receiver checks: the id is the same for every try of an event. */
export interface SignedContent {
  readonly id: string
  readonly timestampS: number
  readonly body: string
}

/**
 * The headers of the Standard Webhooks specification. With several secrets, newest first, there is a
 * signature by each, so that a receiver can change its own at leisure.
 */
export function signatureHeaders(
  secrets: readonly Secret[],
  { id, timestampS, body }: SignedContent,
): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestampS}.${body}`)
    return `v1,${hmac.digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatures.join(' '),
  }
}

/** `whsec_` and base64 as the specification writes secrets; anything else is the key itself. */
function keyOf(secret: Secret): Buffer {
  const text = secret.reveal()
  return text.startsWith('whsec_') ? Buffer.from(text.slice(6), 'base64') : Buffer.from(text)
}
