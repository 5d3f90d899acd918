/**
 * `npm run bench -- turn`: our TURN server by both datagram paths beside coturn, node-turn and bare
 * forwarders, on loopback, in one run. `--quick` for a short one, `--json FILE` for the figures,
 * `--only WORD` for contenders whose name holds the word.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { buildGenerator, buildForwarder } from './binaries.ts'
import { benchEnvironment } from './config.ts'
import { runBenchmark } from './benchmark.ts'
import { fullPlan, quickPlan } from './plan.ts'
import { contenders } from './contenders.ts'
import { Generator } from './generator.ts'
import { formatReport } from './report.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
  },
})
const env = benchEnvironment()
const { present, missing } = contenders({ forwarder: buildForwarder(env), env })
const say = (line: string) => process.stderr.write(`${line}\n`)
for (const reason of missing) say(`left out: ${reason}`)
const report = await runBenchmark({
  contenders: present.filter(({ name }) => name.includes(values.only)),
  generator: new Generator(buildGenerator(env)),
  plan: values.quick ? quickPlan : fullPlan,
  say,
})
process.stdout.write(formatReport(report))
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
process.exit(0)
