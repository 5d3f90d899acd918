/** `npm run chaos -- cluster [--rounds N] [--seconds N]`: two signaling processes and their Redis. */
import { killOwner, loseRedis } from './cluster-stories.ts'
import { readCounts } from './counts.ts'
import { inWords } from './report.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const USAGE = 'npm run chaos -- cluster [--rounds N] [--seconds N]'

const counts = readCounts(USAGE, { rounds: 3, seconds: 60 })
if (counts) {
  const { rounds, seconds } = counts
  for (const kind of ['direct', 'sfu', 'rung', 'grown'] as const) {
    await killOwner(kind, rounds, ({ takenOverMs, people }) => {
      say(inWords(`${kind} call, its process killed, taken over after ${takenOverMs} ms`, people))
    })
  }
  for (const kind of ['direct', 'sfu'] as const) {
    say(inWords(`${kind} call, no Redis for ${seconds} s`, await loseRedis(kind, seconds * 1_000)))
  }
  say('No call ended.')
}
