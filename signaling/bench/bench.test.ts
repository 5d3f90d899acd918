import { expect, test } from 'vitest'
import { measureCallsAndStorm, measureIdle } from './measure.ts'

const CLIENTS = 40

test('the benchmark counts its clients, calls and returns right, at a small size', async () => {
  const idle = await measureIdle('bare', CLIENTS)
  expect(idle.residentBytesPerClient).not.toBeNaN()
  const { calls, storm } = await measureCallsAndStorm({
    clients: CLIENTS,
    callSeconds: 0.5,
    callsAtOnce: 4,
    rings: 10,
    ringsPerSecond: 100,
  })
  expect(calls.rings).toBe(10)
  expect(calls.calls).toBeGreaterThan(0)
  expect(storm).toMatchObject({ clients: CLIENTS, resumed: CLIENTS, refusals: 0 })
})
