/**
 * `npm run conformance -- turn`: makes every check on our server, coturn and node-turn, prints the
 * table, and with `--write` puts it into the docs.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Transport } from './carrier.ts'
import { startCoturn, startNodeTurn } from './other-servers.ts'
import { startOwn } from './own-server.ts'
import { checks, isFor, judge } from './suite.ts'
import type { Verdict } from './suite.ts'
import { conformancePage } from './page.ts'
import type { Subject } from './trial.ts'

const transports: readonly Transport[] = ['udp', 'tcp', 'tls']

const columns = new Map<string, ReadonlyMap<string, Verdict>>()
for (const start of [startOwn, startCoturn, startNodeTurn]) {
  const subject = await start()
  process.stderr.write(`${subject.name} …\n`)
  columns.set(subject.name, await judgeAll(subject))
  await subject.stop()
}
const page = conformancePage(columns)
process.stdout.write(page)
if (process.argv.includes('--write')) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  writeFileSync(join(root, 'docs/turn-conformance.md'), page)
}
process.exit(0)

async function judgeAll(subject: Subject): Promise<ReadonlyMap<string, Verdict>> {
  const verdicts = new Map<string, Verdict>()
  for (const transport of transports) {
    if (subject.ports[transport] === undefined) continue
    for (const check of checks) {
      if (!isFor(check, transport)) continue
      verdicts.set(`${check.number} ${transport}`, await judge(check, subject, transport))
    }
  }
  return verdicts
}
