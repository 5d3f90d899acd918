/**
 * `npm run bench -- signaling`: memory of idle clients beside a bare Socket.IO server, calls per second
 * and core, time to ring, and a crowd that reconnects. `--quick` for a short one, `--clients N`, `--json FILE`.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureCallsAndStorm, measureIdle } from './measure.ts'
import type { Plan } from './measure.ts'
import { openFilesObstacle } from './open-files.ts'
import { formatReport } from './report.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    clients: { type: 'string' },
    json: { type: 'string' },
  },
})
const clients = Number(values.clients ?? (values.quick ? 500 : 5_000))
const obstacle =
  Number.isInteger(clients) && clients >= 2
    ? openFilesObstacle(clients)
    : '--clients takes a number from 2.'
if (obstacle !== undefined) {
  process.stderr.write(`${obstacle}\n`)
  process.exit(2)
}
const plan: Plan = {
  clients,
  callSeconds: values.quick ? 3 : 15,
  callsAtOnce: Math.min(32, Math.floor(clients / 2)),
  rings: values.quick ? 100 : 1_000,
  ringsPerSecond: 50,
  givesWay: true,
}
const say = (line: string) => process.stderr.write(`${line}\n`)
say(`${clients} idle clients at a bare Socket.IO server …`)
const bare = await measureIdle('bare', clients)
say(`${clients} idle clients at ours …`)
const ours = await measureIdle('ours', clients)
say('calls, rings, and the storm …')
const { calls, storm } = await measureCallsAndStorm(plan)
const report = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  plan,
  idle: { bare, ours, ratio: ours.bytesPerClient / bare.bytesPerClient },
  calls,
  storm,
}
process.stdout.write(formatReport(report))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
process.exit(0)
