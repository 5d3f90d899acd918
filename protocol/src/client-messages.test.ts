import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientRequests, serverEvents } from './client-messages.ts'
import { handshakeSchema, requestFrameSchema } from './envelope.ts'
import { roomNameSchema, userIdSchema } from './ids.ts'
import { limits } from './limits.ts'
import { nodeEvents, nodeRequests } from './node-messages.ts'

const schemas = [
  handshakeSchema,
  requestFrameSchema,
  ...Object.values(clientRequests).flatMap(({ data, result }) => [data, result]),
  ...Object.values(serverEvents),
  ...Object.values(nodeRequests).flatMap(({ data, result }) => [data, result]),
  ...Object.values(nodeEvents),
]

describe('message schemas', () => {
  test('never throw, whatever comes', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, maxDepth: 4 }), (junk) => {
        for (const schema of schemas) schema.safeParse(junk)
      }),
    )
  })

  test('refuse a near-valid message and name the field', () => {
    const message = { call: 'c1', users: ['bob'], media: { audio: true, video: true } }
    const start = clientRequests['call.start'].data
    expect(start.safeParse(message).success).toBe(true)
    const broken: readonly [unknown, string][] = [
      [{ ...message, call: '' }, 'call'],
      [{ ...message, call: 'x'.repeat(limits.idLength + 1) }, 'call'],
      [{ ...message, users: [] }, 'users'],
      [{ ...message, users: Array(limits.invitesPerRequest + 1).fill('bob') }, 'users'],
      [{ ...message, users: ['bob', 7] }, 'users.1'],
      [{ ...message, media: { audio: 1, video: true } }, 'media.audio'],
      [{ ...message, media: undefined }, 'media'],
    ]
    for (const [value, field] of broken) {
      const { error } = start.safeParse(value)
      expect(error?.issues[0]?.path.join('.'), JSON.stringify(value)).toBe(field)
    }
  })
})

describe('names', () => {
  test.each(['alice', 'Zoë Müller', '李雷', 'a.b+c@example.org', 'user:1', "O'Hara", 'ab'])(
    'user %s is fine',
    (name) => expect(userIdSchema.safeParse(name).success).toBe(true),
  )

  test.each([
    '',
    ' ',
    ' bob',
    'bob ',
    'bob\n',
    'a\u0000b',
    '<b>',
    'a/b',
    'x'.repeat(65),
    '\u202Ebob',
  ])('user %j is refused', (name) => expect(userIdSchema.safeParse(name).success).toBe(false))

  test.each(['standup', 'büro_2.1', 'A-1'])('room %s is fine', (name) =>
    expect(roomNameSchema.safeParse(name).success).toBe(true),
  )

  test.each(['', 'a b', '../x', 'a/b', 'a\u0000', '#1', 'x'.repeat(65)])(
    'room %j is refused',
    (name) => expect(roomNameSchema.safeParse(name).success).toBe(false),
  )
})
