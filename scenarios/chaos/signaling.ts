/** `npm run chaos -- signaling [--rounds N]`: what people in a call see of it. */
import { readCounts } from './counts.ts'
import { killSignaling } from './kill-signaling.ts'
import { inWords } from './report.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const USAGE = 'npm run chaos -- signaling [--rounds N]'

const counts = readCounts(USAGE, { rounds: 5 })
if (counts) {
  for (const kind of ['direct', 'sfu'] as const) {
    await killSignaling(kind, counts.rounds, (outcomes) => say(inWords(`${kind} call`, outcomes)))
  }
  say('No call ended.')
}
