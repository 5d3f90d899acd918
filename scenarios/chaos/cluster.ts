/** `npm run chaos -- cluster [--rounds N] [--seconds N]`: two signaling processes and their Redis. */
import { parseArgs } from 'node:util'
import { killOwner, loseRedis } from './cluster-stories.ts'
import { inWords } from './report.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)
const USAGE = 'npm run chaos -- cluster [--rounds N] [--seconds N]'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
if (![rounds, seconds].every((one) => Number.isInteger(one) && one >= 1)) {
  process.stderr.write(`--rounds and --seconds are whole numbers from 1 on. ${USAGE}\n`)
  process.exitCode = 2
} else {
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
