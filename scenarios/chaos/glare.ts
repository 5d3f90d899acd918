/** `npm run chaos -- glare [--rounds 200]`: two browsers call each other at the same time, in a row. */
import { parseArgs } from 'node:util'
import { glare } from '../lab/glare.ts'
import { openLab } from '../lab/lab.ts'

const HELP = `npm run chaos -- glare [--rounds N]

Two browsers call each other at the same time, N times in a row (200). Each time both must be connected, in
one call. Stops with status 1 at the first time that they are not.`

const say = (line: string) => process.stdout.write(`${line}\n`)
const complain = (line: string) => process.stderr.write(`${line}\n`)

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, help: { type: 'boolean' } },
})
const rounds = Number(values.rounds)
if (values.help) {
  say(HELP)
} else if (!Number.isInteger(rounds) || rounds < 1) {
  complain(`--rounds is a whole number from 1, not ${values.rounds}.`)
  process.exitCode = 2
} else {
  await run()
}

async function run(): Promise<void> {
  const startedMs = performance.now()
  const lab = await openLab(['chromium', 'chromium'])
  let done = 0
  try {
    const alice = await lab.arrive(0, 'alice')
    const bob = await lab.arrive(1, 'bob')
    await glare(alice, bob, {
      rounds,
      onRound(round, apartMs) {
        done = round
        if (round % 10 === 0) say(`${round} of ${rounds}: one call (${apartMs} ms apart)`)
      },
    })
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  } finally {
    await lab.close()
  }
  const seconds = Math.round((performance.now() - startedMs) / 1_000)
  say(`${done} of ${rounds} rounds ended in one call, in ${seconds} s.`)
}
