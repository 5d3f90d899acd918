/** `npm run chaos -- signaling [--rounds N]`: what people in a call see of it. */
import { parseArgs } from 'node:util'
import { killSignaling } from './kill-signaling.ts'
import { inWords } from './report.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const USAGE = 'npm run chaos -- signaling [--rounds N]'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`--rounds is a whole number from 1 on. ${USAGE}\n`)
  process.exitCode = 2
} else {
  for (const kind of ['direct', 'sfu'] as const) {
    await killSignaling(kind, rounds, (outcomes) => say(inWords(`${kind} call`, outcomes)))
  }
  say('No call ended.')
}
