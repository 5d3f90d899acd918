/**
 * `npm run fuzz -- turn`: mutated messages against the core in this process and against live sockets,
 * until `--minutes` (10) are over; `--seed` repeats a run. Fails when anything throws, an answer stays
 * away, or memory grows.
 */
import { parseArgs } from 'node:util'
import { startOwn } from '../conformance/own-server.ts'
import { fuzzCore } from './core-fuzz.ts'
import { growthOf, mebibytes, memoryNow } from './memory.ts'
import type { Memory } from './memory.ts'
import { SeededRandom } from './random.ts'
import { fuzzSockets } from './socket-fuzz.ts'

const CORE_MESSAGES = 2_000
const SOCKET_MESSAGES = 200
const SAMPLE_EVERY_MS = 2_000
const TELL_EVERY_MS = 60_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const say = (line: string) => process.stdout.write(`${line}\n`)
say(`seed ${values.seed}, ${values.minutes} minutes`)
const random = new SeededRandom(Number(values.seed))
const endsAt = performance.now() + Number(values.minutes) * 60_000
const server = await startOwn()
const samples: Memory[] = []
const sent = { core: 0, udp: 0, tcp: 0, tls: 0 }
let sampledAt = -Infinity
let toldAt = performance.now()
try {
  while (performance.now() < endsAt) {
    sent.core += fuzzCore(random, CORE_MESSAGES)
    for (const transport of ['udp', 'tcp', 'tls'] as const) {
      sent[transport] += await fuzzSockets(server, { transport, random, messages: SOCKET_MESSAGES })
    }
    if (performance.now() - sampledAt < SAMPLE_EVERY_MS) continue
    sampledAt = performance.now()
    const memory = memoryNow()
    samples.push(memory)
    if (sampledAt - toldAt < TELL_EVERY_MS) continue
    toldAt = sampledAt
    const held = `heap ${mebibytes(memory.heap)}, native ${mebibytes(memory.native)}`
    say(`${Math.round((endsAt - sampledAt) / 60_000)} minutes left: ${held}`)
  }
} catch (error) {
  say(`FAILED with seed ${values.seed} after ${JSON.stringify(sent)} messages`)
  throw error
}
await server.stop()
const growth = growthOf(samples)
say(
  `${sent.core} messages into the core, ${sent.udp} by UDP, ${sent.tcp} by TCP, ${sent.tls} by TLS`,
)
say(`heap grew by ${mebibytes(growth.heap)}, native memory by ${mebibytes(growth.native)}`)
say(growth.isFlat ? 'no crash, memory is flat' : 'MEMORY GROWS')
process.exit(growth.isFlat ? 0 : 1)
