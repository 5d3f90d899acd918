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
  const { name, verdicts } = await judgeAll(start)
  columns.set(name, verdicts)
}
const page = conformancePage(columns)
process.stdout.write(page)
if (process.argv.includes('--write')) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  writeFileSync(join(root, 'docs/turn-conformance.md'), page)
}
process.exit(0)

async function judgeAll(start: () => Promise<Subject>) {
  let subject = await start()
  const { name } = subject
  process.stderr.write(`${name} …\n`)
  const verdicts = new Map<string, Verdict>()
  for (const transport of transports) {
    if (subject.ports[transport] === undefined) continue
    for (const check of checks) {
      if (!isFor(check, transport)) continue
      const verdict = await judge(check, subject, transport)
      const hasStopped = verdict.kind === 'failed' && !(await answers(subject))
      verdicts.set(
        `${check.number} ${transport}`,
        hasStopped
          ? { kind: 'failed', why: 'the server stopped answering, and was restarted' }
          : verdict,
      )
      if (!hasStopped) continue
      await subject.stop()
      subject = await start()
    }
  }
  await subject.stop()
  return { name, verdicts }
}

/** Whether a server still does what all do. */
async function answers(subject: Subject): Promise<boolean> {
  const binding = checks.find(({ number }) => number === 1)
  return !binding || (await judge(binding, subject, 'udp')).kind === 'passed'
}
