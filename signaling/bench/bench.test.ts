import { expect, test } from 'vitest'
import { measureFormats } from './formats.ts'
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
    givesWay: false,
  })
  expect(calls.rings).toBe(10)
  expect(calls.calls).toBeGreaterThan(0)
  expect(storm).toMatchObject({ clients: CLIENTS, resumed: CLIENTS, refusals: 0 })
})

test("a call's life in MessagePack is the same as in JSON, in fewer bytes", async () => {
  const { json, msgpack } = await measureFormats({ rounds: 1, livesPerRound: 2 })
  for (const [step, bytes] of Object.entries(json.bytes)) {
    expect(msgpack.bytes).toHaveProperty(step)
    expect(bytes).toBeGreaterThan(0)
  }
  expect(msgpack.bytesInAll).toBeGreaterThan(0)
  expect(msgpack.bytesInAll).toBeLessThan(json.bytesInAll)
})
