/**
 * `npm run soak -- turn`: 500 allocations with media for 10 minutes while allocations come and go, the
 * server and its clients in this process. Fails when sockets, timers or memory are left over, or media
 * is lost. `--minutes`, `--calls`, `--path pure|batched`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startOwn } from '../conformance/own-server.ts'
import { growthOf, mebibytes, memoryNow } from './memory.ts'
import type { Memory } from './memory.ts'
import { resourcesNow } from './resources.ts'
import { Traffic } from './traffic.ts'

/** As voice sends it, every 20 ms, would keep the clients busier than the server. */
const ROUND_EVERY_MS = 100
const ENDED_PER_SECOND = 5
/** Calls do not refresh their permissions, which last five minutes: on a slow machine more end at once. */
const LONGEST_CALL_MS = 200_000
const SETTLE_MS = 3_000
/** One socket and timer more or less may be a pool's. */
const MOST_LEFT_OVER = 1
/** Longer than a busy machine keeps a packet. One that takes longer is lost. */
const PATIENCE_MS = 20_000
const LOOK_EVERY_MS = 10

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    calls: { type: 'string', default: '500' },
    path: { type: 'string', default: 'auto' },
  },
})
const path = values.path === 'pure' || values.path === 'batched' ? values.path : 'auto'
const say = (line: string) => process.stdout.write(`${line}\n`)

const server = await startOwn(path)
const before = resourcesNow()
const traffic = await Traffic.open(server)
while (traffic.calls < Number(values.calls)) await traffic.begin()
const atStart = resourcesNow()
say(`${traffic.calls} calls, ${atStart.sockets} sockets, ${atStart.timers} timers`)

const samples: Memory[] = []
let lost = 0
const endsAt = performance.now() + Number(values.minutes) * 60_000
for (let round = 0; performance.now() < endsAt; round++) {
  const startedAt = performance.now()
  if (round % (1_000 / ROUND_EVERY_MS) === 0) {
    samples.push(memoryNow())
    for (let ended = 0; ended < ENDED_PER_SECOND || traffic.oldestMs > LONGEST_CALL_MS; ended++) {
      traffic.endOldest()
      await traffic.begin()
    }
  }
  traffic.sendRound()
  lost += await awaitRound()
  await delay(Math.max(0, ROUND_EVERY_MS - (performance.now() - startedAt)))
}
const atEnd = resourcesNow()
const { tally } = traffic
traffic.close()
await delay(SETTLE_MS)
const after = resourcesNow()
await server.stop()

const growth = growthOf(samples)
say(JSON.stringify({ ...tally, atStart, atEnd, before, after }))
say(`lost ${lost} of ${tally.sent} packets there and back`)
say(`heap grew by ${mebibytes(growth.heap)}, native memory by ${mebibytes(growth.native)}`)
const faults = [
  lost > 0 ? 'media was lost' : undefined,
  growth.isFlat ? undefined : 'memory grows',
  after.sockets > before.sockets + MOST_LEFT_OVER ? 'sockets are left' : undefined,
  after.timers > before.timers + MOST_LEFT_OVER ? 'timers are left' : undefined,
].filter((fault) => fault !== undefined)
say(faults.length === 0 ? 'nothing leaks' : `FAILED: ${faults.join(', ')}`)
process.exit(faults.length === 0 ? 0 : 1)

/** Waits until a round has come back, so that a slow machine has fewer rounds and loses nothing. */
async function awaitRound(): Promise<number> {
  const { tally } = traffic
  const givesUpAt = performance.now() + PATIENCE_MS
  const due = tally.sent - lost
  while (tally.back < due && performance.now() < givesUpAt) await delay(LOOK_EVERY_MS)
  return Math.max(0, due - tally.back)
}
