import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MEASURE_EVERY_MS, startingWorker, workerSlot } from './workers.ts'
import type { WorkerEffect, WorkerEvent, WorkerSlot } from './workers.ts'

describe('workerSlot', () => {
  test('a running worker is measured at intervals, from the answer on', () => {
    const t = slotAt(0)
    t.expect({ type: 'started' }, 0, [])
    t.expect({ type: 'tick' }, 0, ['measure'])
    t.expect({ type: 'tick' }, 10_000, [])
    t.expect({ type: 'measured', usedMs: 100 }, 10_000, [])
    t.expect({ type: 'tick' }, 10_000 + MEASURE_EVERY_MS - 1, [])
    t.expect({ type: 'tick' }, 10_000 + MEASURE_EVERY_MS, ['measure'])
    t.expect({ type: 'measured', usedMs: 1_100 }, 10_000 + MEASURE_EVERY_MS, [])
    expect(t.state()).toMatchObject({ cpu: 0.5 })
  })

  test('a worker that leaves two questions unanswered is ended', () => {
    const t = slotAt(0)
    t.expect({ type: 'started' }, 0, [])
    t.expect({ type: 'tick' }, 0, ['measure'])
    t.expect({ type: 'unanswered' }, 2_000, [])
    t.expect({ type: 'tick' }, 2_000, ['measure'])
    t.expect({ type: 'unanswered' }, 4_000, ['kill'])
    t.expect({ type: 'tick' }, 60_000, [])
    t.expect({ type: 'died' }, 60_000, ['start'])
  })

  test('an answer forgives a missed question', () => {
    const t = slotAt(0)
    t.expect({ type: 'started' }, 0, [])
    t.expect({ type: 'unanswered' }, 2_000, [])
    t.expect({ type: 'measured', usedMs: 1 }, 3_000, [])
    t.expect({ type: 'unanswered' }, 6_000, [])
  })

  test('the first replacement comes at once, the next ones ever later, up to a cap', () => {
    const t = slotAt(0)
    t.expect({ type: 'started' }, 0, [])
    t.expect({ type: 'died' }, 100, ['start'])
    const delays = Array.from({ length: 8 }, () => {
      t.expect({ type: 'startFailed' }, 0, [])
      const state = t.state()
      if (state.phase !== 'waiting') throw new Error(state.phase)
      t.expect({ type: 'tick' }, state.retryAt - 1, [])
      t.expect({ type: 'tick' }, state.retryAt, ['start'])
      return state.retryAt
    })
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  test('a worker that ran soundly is replaced at once, however often that happens', () => {
    const t = slotAt(0)
    t.expect({ type: 'started' }, 0, [])
    t.expect({ type: 'died' }, 1, ['start'])
    t.expect({ type: 'started' }, 2, [])
    t.expect({ type: 'died' }, 20_000, ['start'])
  })

  test('events that make no sense in a state change nothing', () => {
    const senseless: readonly [WorkerSlot, WorkerEvent][] = [
      [startingWorker, { type: 'died' }],
      [startingWorker, { type: 'measured', usedMs: 1 }],
      [startingWorker, { type: 'unanswered' }],
      [startingWorker, { type: 'tick' }],
      [{ phase: 'waiting', failures: 2, retryAt: 10 }, { type: 'started' }],
      [{ phase: 'waiting', failures: 2, retryAt: 10 }, { type: 'startFailed' }],
      [{ phase: 'waiting', failures: 2, retryAt: 10 }, { type: 'died' }],
    ]
    for (const [state, event] of senseless) {
      expect(workerSlot(state, event, 0)).toEqual({ state, effects: [] })
    }
  })

  test('no history leaves a slot without a way back to a worker', () => {
    const event: fc.Arbitrary<WorkerEvent> = fc.oneof(
      fc.constantFrom<WorkerEvent>(
        { type: 'started' },
        { type: 'startFailed' },
        { type: 'died' },
        { type: 'unanswered' },
        { type: 'tick' },
      ),
      fc.nat().map((usedMs) => ({ type: 'measured' as const, usedMs })),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(5_000))), (steps) => {
        let state: WorkerSlot = startingWorker
        let now = 0
        for (const [next, elapsedMs] of steps) {
          now += elapsedMs
          state = workerSlot(state, next, now).state
        }
        if (state.phase === 'waiting') {
          expect(state.retryAt - now).toBeLessThanOrEqual(30_000)
          expect(workerSlot(state, { type: 'tick' }, state.retryAt).effects).toEqual(['start'])
        }
      }),
    )
  })
})

function slotAt(start: number) {
  let state: WorkerSlot = workerSlot(startingWorker, { type: 'tick' }, start).state
  return {
    state: () => state,
    expect: (event: WorkerEvent, now: number, effects: readonly WorkerEffect[]) => {
      const step = workerSlot(state, event, now)
      state = step.state
      expect(step.effects).toEqual(effects)
    },
  }
}
