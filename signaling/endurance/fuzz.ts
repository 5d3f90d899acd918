/**
 * `npm run fuzz -- signaling`: `--messages` (100,000) malformed and out-of-order messages against a live
 * server, while two honest people go on calling each other; `--seed` repeats a run. Fails when the server
 * ends, its memory grows, or an honest call fails. `--json FILE` for the figures.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { percentile } from '../bench/figures.ts'
import { runFuzz } from './fuzz-run.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    json: { type: 'string' },
  },
})
const say = (line: string) => process.stdout.write(`${line}\n`)
say(`seed ${values.seed}, ${values.messages} messages`)
const run = await runFuzz({
  messages: Number(values.messages),
  callsBefore: 200,
  seed: Number(values.seed),
  say,
})
const figures = {
  sent: run.sent,
  heapGrowthBytes: run.heapGrowthBytes,
  callsBefore: run.before.length,
  callsDuring: run.during.length,
  ...latencies('before', run.before),
  ...latencies('during', run.during),
  p50Ratio: percentile(run.during, 0.5) / percentile(run.before, 0.5),
  p99Ratio: percentile(run.during, 0.99) / percentile(run.before, 0.99),
}
for (const [name, value] of Object.entries(figures)) say(`${name}: ${String(value)}`)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
process.exit(run.problem === undefined ? 0 : (say(`FAILED: ${run.problem}`), 1))

function latencies(when: string, ms: readonly number[]): Record<string, number> {
  return { [`${when}P50Ms`]: percentile(ms, 0.5), [`${when}P99Ms`]: percentile(ms, 0.99) }
}
