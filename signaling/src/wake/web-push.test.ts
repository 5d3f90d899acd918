import type { PushSubscriptionData } from '@parley/protocol'
import { pushSubscriptionSchema } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outbound, Post } from '../outbound/post.ts'
import { newPushKey, VapidKey } from './vapid.ts'
import { WebPush } from './web-push.ts'

const MESSAGE = { data: { type: 'call' }, ttlS: 30, urgency: 'high', about: 'c1' } as const
const RUNS = { numRuns: 400, seed: 7 }

/** Anything that might be taken for an endpoint, and many that are one. */
const endpoint = fc.oneof(
  fc.string(),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.webUrl().map((url) => url.replace('://', '://user:pass@')),
  fc.webUrl({ validSchemes: ['http', 'https', 'ftp', 'ws'] }),
  fc.ipV4().map((address) => `https://${address}/`),
  fc.ipV6().map((address) => `http://[${address}]/`),
  fc.constantFrom('https:', 'https://', 'javascript:alert(1)', 'file:///etc/passwd', 'data:,x'),
)

test('only https without a name is taken, and nothing makes it throw', () => {
  const push = webPush([], false)
  fc.assert(
    fc.property(endpoint, (text) => {
      if (!push.accepts(text)) return
      const url = new URL(text)
      expect([url.protocol, url.username, url.password]).toEqual(['https:', '', ''])
    }),
    RUNS,
  )
})

test('whatever a client subscribes with, a message has an outcome, and goes to public addresses', async () => {
  const sent: Post[] = []
  const push = webPush(sent, false)
  const base64url = fc.stringMatching(/^[A-Za-z0-9_-]{86,88}$/)
  const subscription: fc.Arbitrary<PushSubscriptionData> = fc.record({
    endpoint,
    keys: fc.record({
      p256dh: fc.oneof(base64url, fc.constant(POINT)),
      auth: fc.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    }),
  })
  await fc.assert(
    fc.asyncProperty(subscription, async (to) => {
      fc.pre(pushSubscriptionSchema.safeParse(to).success)
      expect(['sent', 'gone', 'failed']).toContain(await push.send(to, MESSAGE))
    }),
    RUNS,
  )
  expect(sent.length).toBeGreaterThan(0)
  for (const { url, publicOnly } of sent)
    expect([url.protocol, publicOnly]).toEqual(['https:', true])
})

/** The key of the example in RFC 8291 §5. */
const POINT =
  'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4'

/** Notes what would be sent; the service takes all of it. */
function webPush(sent: Post[], allowPrivate: boolean): WebPush {
  const post = (one: Post) => {
    sent.push(one)
    return Promise.resolve({ status: 201, retryAfterS: undefined, text: '' })
  }
  return new WebPush({
    key: new VapidKey(newPushKey(), 'mailto:a@example.org'),
    // Only `post` is used.
    outbound: { post } as unknown as Outbound,
    now: () => 0,
    allowPrivate,
    wait: () => Promise.resolve(),
  })
}
