import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outbox } from './outbox.ts'

const event = (seq: number, type: string, data: unknown) =>
  ({ type: 'event', frame: { seq, type, data } }) as const
const updated = (seq: number, id: string) => event(seq, 'call.updated', { call: { id } })

test('[SLOW-1] only the newest state of each thing is kept, and the rest in order', () => {
  const outbox = new Outbox(10)
  for (const item of [
    updated(1, 'c1'),
    event(2, 'call.ended', { call: 'c2' }),
    updated(3, 'c1'),
    updated(4, 'c2'),
    event(5, 'presence', { users: [{ user: 'bob', status: 'online' }] }),
    event(6, 'presence', { users: [{ user: 'bob', status: 'offline' }] }),
    event(7, 'sfu.layer', { call: 'c1', consumer: 'x' }),
    event(8, 'sfu.layer', { call: 'c1', consumer: 'y' }),
    event(9, 'call.signal', { call: 'c1' }),
    event(10, 'call.signal', { call: 'c1' }),
  ]) {
    expect(outbox.push(item)).toBe(true)
  }
  const kept = outbox.take(100).map((item) => (item.type === 'event' ? item.frame.seq : 0))
  expect(kept).toEqual([2, 3, 4, 6, 7, 8, 9, 10])
})

test('[SLOW-2] there is an end to what it takes, and none to what replaces something', () => {
  const outbox = new Outbox(3)
  for (let seq = 1; seq <= 3; seq++) expect(outbox.push(event(seq, 'call.signal', {}))).toBe(true)
  expect(outbox.push(updated(4, 'c1'))).toBe(false)
  outbox.take(1)
  expect(outbox.push(updated(5, 'c1'))).toBe(true)
  for (let seq = 6; seq < 1_000; seq++) expect(outbox.push(updated(seq, 'c1'))).toBe(true)
  expect(outbox.size).toBe(3)
})

test('takes any event', () => {
  fc.assert(
    fc.property(fc.string(), fc.anything(), (type, data) => {
      const outbox = new Outbox(2)
      for (const name of [type, 'call.updated', 'presence', 'sfu.layer']) {
        outbox.push(event(1, name, data))
      }
    }),
  )
})
