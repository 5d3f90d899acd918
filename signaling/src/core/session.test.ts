import type { DeviceId, SessionId, UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fullBucket, take } from './admission.ts'
import { Deadlines } from './deadlines.ts'
import { attach, newSession, record } from './session.ts'
import type { Session } from './session.ts'

test('whatever was missed is replayed completely and in order, or not at all', () => {
  const history = fc.record({
    sent: fc.nat({ max: limits.replayEvents * 2 }),
    seen: fc.nat({ max: limits.replayEvents * 2 }),
  })
  fc.assert(
    fc.property(history, ({ sent, seen }) => {
      const { resumption } = attach(sessionWith(sent), seen)
      if (resumption.verdict === 'snapshot') {
        expect(seen > sent || sent - seen > limits.replayEvents).toBe(true)
        return
      }
      expect(resumption.frames.map(({ seq }) => seq)).toEqual(range(seen + 1, sent))
    }),
  )
})

test('a bucket never admits more than its burst and its rate allow', () => {
  const limit = { burst: 5, perSecond: 10 }
  const waits = fc.array(fc.integer({ min: -50, max: 500 }), { maxLength: 200 })
  fc.assert(
    fc.property(waits, (waitsMs) => {
      let now = 0
      let elapsedMs = 0
      let admitted = 0
      let bucket = fullBucket(limit, now)
      for (const waitMs of waitsMs) {
        now += waitMs
        elapsedMs += Math.max(0, waitMs)
        const taken = take(bucket, limit, { now })
        bucket = taken.bucket
        if (taken.waitMs === undefined) admitted += 1
      }
      expect(admitted).toBeLessThanOrEqual(limit.burst + (elapsedMs / 1_000) * limit.perSecond)
    }),
  )
})

test('the nearest deadline is next, and what is due is taken once', () => {
  const deadlines = new Deadlines<string>()
  deadlines.set('late', 30)
  deadlines.set('soon', 10)
  deadlines.set('gone', 5)
  deadlines.set('gone', undefined)
  expect(deadlines.next()).toBe(10)
  expect(deadlines.takeDue(9)).toEqual([])
  expect(deadlines.takeDue(10)).toEqual(['soon'])
  expect(deadlines.takeDue(10)).toEqual([])
  expect(deadlines.next()).toBe(30)
})

function sessionWith(events: number): Session {
  const identity = {
    id: 's' as SessionId,
    key: 'k',
    user: 'alice' as UserId,
    device: 'phone' as DeviceId,
  }
  return range(1, events).reduce((s) => record(s, 'presence', {}).session, newSession(identity))
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}
