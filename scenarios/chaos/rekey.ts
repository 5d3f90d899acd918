/**
 * `npm run chaos -- rekey [--rounds N]`: how much sound is lost when keys change, as somebody comes and
 * goes in a call of two through a node; beside it, as much time in which nothing happens.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { hears } from '../lab/caller.ts'
import type { Caller } from '../lab/caller.ts'
import { openLab, without } from '../lab/lab.ts'
import type { Lab } from '../lab/lab.ts'
import { until } from '../lab/patience.ts'

const USAGE = 'npm run chaos -- rekey [--rounds N]'
/** Longer than senders wait for the others' keys. */
const SETTLED_MS = 2_000

const say = (line: string) => process.stdout.write(`${line}\n`)
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`--rounds is a whole number from 1 on. ${USAGE}\n`)
  process.exitCode = 2
} else {
  const lab = await openLab(['chromium', 'chromium', 'firefox'])
  try {
    await comeAndGo(lab)
  } finally {
    await lab.close()
  }
}

async function comeAndGo(lab: Lab): Promise<void> {
  const options = { topology: 'sfu' }
  const people = [await lab.arrive(0, 'alice', options), await lab.arrive(1, 'bob', options)]
  const carol = await lab.arrive(2, 'carol', options)
  for (const one of people) await one.do('join', 'standup')
  let code = await settled(people, '')
  const lost = { quiet: [] as number[], join: [] as number[], leave: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    lost.quiet.push(...(await lossDuring(people, () => Promise.resolve())))
    const join = async () => {
      await carol.do('join', 'standup')
      code = await settled([...people, carol], code)
    }
    lost.join.push(...(await lossDuring(people, join)))
    const leave = async () => {
      await carol.do('hangup')
      code = await settled(people, code)
    }
    lost.leave.push(...(await lossDuring(people, leave)))
    say(`round ${round} of ${rounds}`)
  }
  for (const [when, all] of Object.entries(lost)) {
    const sorted = all.map(Math.round).sort((a, b) => a - b)
    const [middle, most] = [sorted[sorted.length >> 1], sorted.at(-1)]
    say(`${when}: median ${middle} ms, most ${most} ms of sound lost`)
  }
}

/** What each of the two loses of the other's sound meanwhile and a moment longer, in milliseconds. */
async function lossDuring(
  people: readonly Caller[],
  happens: () => Promise<void>,
): Promise<readonly number[]> {
  const read = () =>
    Promise.all(people.map((one) => one.concealedMs(one.user === 'alice' ? 'bob' : 'alice')))
  const before = await read()
  await happens()
  await wait(SETTLED_MS)
  return (await read()).map((after, at) => after - (before[at] ?? 0))
}

/** Waits until all are at the same epoch, another one than before, and hear each other: its code. */
async function settled(people: readonly Caller[], before: string): Promise<string> {
  const [code] = await until(
    'all show one new code',
    () => Promise.all(people.map(async (one) => (await one.look()).verification ?? '')),
    ([first = '', ...rest]) =>
      first !== '' && first !== before && rest.every((other) => other === first),
  )
  for (const one of people) await hears(one, without(people, one))
  return code ?? ''
}
