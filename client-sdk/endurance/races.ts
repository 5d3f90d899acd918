/**
 * `npm run soak -- mls`: five devices come and go at the same moment, again and again; tells how long
 * it takes until all who are in have the same keys. `--rounds` (100) of it, over a server that is up to
 * `--lag` (20) milliseconds away, one way. Fails when a round takes more than two seconds. With
 * `--lossy` messages are lost, doubled and out of turn meanwhile; then it fails only where all never agree.
 */
/// <reference types="node" />
import { parseArgs } from 'node:util'
import { race } from './commit-race.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    lag: { type: 'string', default: '20' },
    lossy: { type: 'boolean', default: false },
  },
})

const times = await race({
  rounds: Number(values.rounds),
  mostLagMs: Number(values.lag),
  seed: 1,
  lossy: values.lossy,
  onRound: (round, ms) => {
    if (round % 10 === 0) say(`round ${round}: agreed after ${Math.round(ms)} ms`)
  },
})
const sorted = [...times].sort((a, b) => a - b)
const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
const late = times.filter((ms) => ms > 2_000).length
say(
  `${times.length} rounds converged; median ${at(0.5)} ms, 95th ${at(0.95)} ms, ` +
    `slowest ${at(1)} ms; ${late} took longer than 2 s.`,
)
process.exitCode = late > 0 && !values.lossy ? 1 : 0
