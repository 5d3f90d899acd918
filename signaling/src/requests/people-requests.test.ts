import { clientRequests, errorCodes, limits } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outbound } from '../outbound/post.ts'
import { plainPeople } from '../people.ts'
import { testHub, TestPerson } from '../testing-hub.ts'
import { ManualEnvironment } from '../testing.ts'
import { newPushKey, VapidKey } from '../wake/vapid.ts'
import { WebPush } from '../wake/web-push.ts'

const types = [
  'presence.subscribe',
  'presence.unsubscribe',
  'presence.set',
  'push.key',
  'push.subscribe',
  'push.unsubscribe',
  'mailbox.ack',
  'call.send',
  'call.react',
  'call.hand',
  'call.start',
  'call.hangup',
] as const
const names = ['alice', 'bob', 'carol']
const word = fc.oneof(fc.constantFrom(...names, 'c1', 'c2', '__proto__', ''), fc.string())
const fields = {
  /** `live` stands for a call in which alice is. */
  call: fc.constantFrom('c1', 'c2', 'live', 'live'),
  users: fc.array(word, { maxLength: 4 }),
  to: fc.option(word, { nil: undefined }),
  media: fc.record({ audio: fc.boolean(), video: fc.boolean() }),
  payload: fc.oneof(word, fc.base64String()),
  status: fc.constantFrom('online', 'away', 'invisible', 'x'),
  endpoint: fc.oneof(word, fc.webUrl(), fc.constant('https://push.example.org/1')),
  keys: fc.record({
    p256dh: fc.stringMatching(/^[A-Za-z0-9_-]{87}$/),
    auth: fc.stringMatching(/^[A-Za-z0-9_-]{22}$/),
  }),
  seq: fc.oneof(fc.integer(), fc.double()),
  message: fc.oneof(
    { weight: 3, arbitrary: fc.record({ text: fc.string() }) },
    fc.record({ bytes: word }),
    fc.record({ sealed: fc.oneof(word, fc.base64String()), generation: fc.integer() }),
    fc.anything(),
  ),
  reaction: word,
  raised: fc.boolean(),
}
const step = fc.record({
  who: fc.nat(2),
  type: fc.constantFrom(...types),
  data: fc.oneof(
    { weight: 6, arbitrary: fc.record(fields) },
    { weight: 2, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.anything({ maxDepth: 2 }) },
  ),
  /** What comes after it. */
  then: fc.constantFrom('nothing', 'time', 'reconnect'),
})

test('whatever people ask has a typed answer, what is kept stays bounded, and the next one is served', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const env = new ManualEnvironment()
      const people = { ...plainPeople(), webPush: webPush() }
      const hub = testHub({ env, people })
      const connect = (user: string) => new TestPerson(hub, { user, device: 'device' })
      const persons = names.map(connect)
      const ask = (who: number, type: string, data: unknown) => {
        const person = persons[who]
        if (person === undefined) throw new Error('nobody')
        return person.ask(type, data)
      }
      const media = { audio: true, video: true }
      const joined = await ask(0, 'room.join', { room: 'r', media, topology: 'sfu' })
      if (!joined.ok) throw new Error(joined.error.code)
      const { call: live } = joined.data as { call: { id: string } }
      for (const { who, type, data, then } of steps) {
        const isLive = typeof data === 'object' && data !== null && 'call' in data
        const about = isLive && data.call === 'live' ? { ...data, call: live.id } : data
        const answer = await ask(who, type, about)
        if (answer.ok) {
          expect(clientRequests[type].result.safeParse(answer.data).success).toBe(true)
          seen.add(type)
        } else {
          expect(answer.error.code).not.toBe('internal')
          expect(Object.keys(errorCodes)).toContain(answer.error.code)
        }
        if (then === 'time') env.advance(60_000)
        const user = names[who]
        if (then === 'reconnect' && user !== undefined) persons[who] = connect(user)
      }
      for (const user of names) {
        const unseen = await people.mailbox.unseen(user as never, 'new' as never, env.now())
        expect(unseen.ok && unseen.data.length).toBeLessThanOrEqual(limits.missedCalls)
        const known = await people.subscriptions.of(user as never)
        expect(known.ok && known.data.length).toBeLessThanOrEqual(1)
      }
      env.advance(60_000)
      expect(await ask(1, 'push.key', {})).toMatchObject({ ok: true })
      await hub.stop()
    }),
    { numRuns: 150, seed: 5 },
  )
  // Otherwise the walk would only show that everything is refused.
  expect([...seen].sort()).toEqual([...types].sort())
})

function webPush(): WebPush {
  const post = () => Promise.resolve({ status: 201, retryAfterS: undefined, text: '' })
  return new WebPush({
    key: new VapidKey(newPushKey(), 'mailto:a@example.org'),
    // Only `post` is used.
    outbound: { post } as unknown as Outbound,
    now: () => 0,
    allowPrivate: false,
    wait: () => Promise.resolve(),
  })
}
