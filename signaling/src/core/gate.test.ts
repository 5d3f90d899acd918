import { expect, test } from 'vitest'
import { knock, LONGEST_WAIT_MS, openGate } from './gate.ts'
import type { Gate } from './gate.ts'

const limit = { burst: 100, perSecond: 50 }

test('a crowd that comes back when told is all in, at the rate of the door', () => {
  let gate = openGate(limit, 0)
  const queue = Array.from({ length: 1_000 }, () => 0)
  const admitted: number[] = []
  while (queue.length > 0) {
    const now = Math.min(...queue)
    queue.splice(queue.indexOf(now), 1)
    const { gate: next, waitMs }: { gate: Gate; waitMs: number | undefined } = knock(
      gate,
      limit,
      now,
    )
    gate = next
    if (waitMs === undefined) admitted.push(now)
    else queue.push(now + waitMs)
  }
  expect(admitted).toHaveLength(1_000)
  expect(Math.max(...admitted)).toBeLessThan(20_000)
  const perSecond = new Map<number, number>()
  for (const at of admitted) {
    const second = Math.floor(at / 1_000)
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
  }
  expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(limit.burst + limit.perSecond)
})

test('nobody is sent away for longer than the longest wait', () => {
  let gate = openGate(limit, 0)
  for (let i = 0; i < 10_000; i++) {
    const { gate: next, waitMs = 0 } = knock(gate, limit, 0)
    expect(waitMs).toBeLessThanOrEqual(LONGEST_WAIT_MS)
    gate = next
  }
})
