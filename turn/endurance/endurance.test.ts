import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startOwn } from '../conformance/own-server.ts'
import type { Subject } from '../conformance/trial.ts'
import { datagramPathsHere } from '../scenarios/turn-client.ts'
import { fuzzCore } from './core-fuzz.ts'
import { growthOf } from './memory.ts'
import { SeededRandom } from './random.ts'
import { resourcesNow } from './resources.ts'
import { fuzzSockets } from './socket-fuzz.ts'
import { Traffic } from './traffic.ts'

const SEED = 20_261_122

test('the core survives mutated messages', () => {
  expect(fuzzCore(new SeededRandom(SEED), 4_000)).toBe(4_000)
})

describe.each(datagramPathsHere)('a live server, datagrams %s', (path) => {
  let server: Subject
  beforeEach(async () => {
    server = await startOwn(path)
  })
  afterEach(() => server.stop())

  test.each(['udp', 'tcp', 'tls'] as const)(
    'survives mutated messages over %s',
    async (transport) => {
      const random = new SeededRandom(SEED)
      await fuzzSockets(server, { transport, random, messages: 500 })
    },
  )

  test('gives back the sockets of calls that come and go, and loses no media', async () => {
    const before = resourcesNow().sockets
    const traffic = await Traffic.open(server)
    for (let call = 0; call < 40; call++) await traffic.begin()
    for (let round = 0; round < 30; round++) {
      traffic.sendRound()
      await expect.poll(() => traffic.tally.back, POLL).toBe(traffic.tally.sent)
      traffic.endOldest()
      await traffic.begin()
    }
    traffic.close()
    await expect.poll(() => resourcesNow().sockets, POLL).toBeLessThanOrEqual(before)
  })
})

test('growth is judged from the second quarter on', () => {
  const samples = (heaps: readonly number[]) =>
    heaps.map((mebi) => ({ heap: mebi * 2 ** 20, native: 0 }))
  expect(growthOf(samples([10, 40, 50, 50, 51, 50, 50, 51])).isFlat).toBe(true)
  expect(growthOf(samples([10, 20, 30, 40, 50, 60, 70, 80])).isFlat).toBe(false)
})

const POLL = { interval: 5, timeout: 15_000 }
