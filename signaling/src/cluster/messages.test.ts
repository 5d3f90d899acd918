import { createLog } from '@parley/service'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NodeId } from '../core/lease-book.ts'
import { NodeChannel } from './channel.ts'
import { parseHandedSession } from './handed-session.ts'
import { askings, parseNodeFrame, tellings } from './messages.ts'

const log = createLog('test', { level: 'silent' })
const kinds = fc.constantFrom('tell', 'ask', 'answer', 'shout')
const types = fc.constantFrom(...Object.keys(tellings), ...Object.keys(askings), 'unheard-of')
const nearFrame = fc.record(
  {
    kind: kinds,
    from: fc.string({ maxLength: 70 }),
    id: fc.anything(),
    type: types,
    data: fc.anything(),
  },
  { requiredKeys: [] },
)

describe('what comes from other nodes', () => {
  test('is a frame or nothing, whatever it is', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseNodeFrame(text)))
    fc.assert(fc.property(fc.json(), (text) => void parseNodeFrame(text)))
    fc.assert(fc.property(fc.anything(), (raw) => void parseHandedSession(raw)))
  })

  test('reaches the node only where it fits its type, and never throws', () => {
    const heard: string[] = []
    let say: (text: string) => void = () => undefined
    const channel = new NodeChannel({
      node: 'here' as NodeId,
      log,
      wire: {
        send: () => Promise.resolve({ ok: true, data: true }),
        listen: (_, listener) => (say = listener),
      },
    })
    channel.listen({
      told: (_, type, data) => {
        expect(tellings[type].safeParse(data).success).toBe(true)
        heard.push(type)
      },
      asked: (_, type, data) => {
        expect(askings[type].safeParse(data).success).toBe(true)
        return Promise.resolve(undefined)
      },
    })
    fc.assert(
      fc.property(nearFrame, (frame) => say(JSON.stringify(frame))),
      { numRuns: 1_000 },
    )
    say(JSON.stringify({ kind: 'tell', from: 'there', type: 'bye', data: {} }))
    expect(heard.at(-1)).toBe('bye')
  })
})
