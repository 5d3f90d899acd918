/**
 * `npm run fuzz -- mls`: random lives of groups, in which all members must agree after each step.
 * `--scenarios` (300) groups of `--steps` (60) and up to `--members` (25); `--seed` (1) is the first
 * one's, and repeats it. Fails when any two members disagree. `--damaged N` instead: hands N damaged
 * offers, welcomes, commits, messages and public states to those who read them; fails when one is taken.
 */
/// <reference types="node" />
import { parseArgs } from 'node:util'
import { readDamaged } from './damaged-messages.ts'
import { walk } from './group-walk.ts'

const say = (line: string) => process.stdout.write(`${line}\n`)

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string', default: '300' },
    steps: { type: 'string', default: '60' },
    members: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    damaged: { type: 'string' },
  },
})

const [scenarios, steps, members, first] = [
  values.scenarios,
  values.steps,
  values.members,
  values.seed,
].map(Number) as [number, number, number, number]
if (values.damaged === undefined) await walkAll()
else await damageAll(Number(values.damaged))

async function walkAll(): Promise<void> {
  const failures: string[] = []
  let largest = 0
  const startedMs = performance.now()
  for (let run = 0; run < scenarios; run++) {
    const seed = first + run
    try {
      largest = Math.max(largest, await walk(seed, steps, members))
    } catch (error) {
      failures.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`)
      say(failures.at(-1) ?? '')
    }
    if ((run + 1) % 10 === 0) {
      const seconds = Math.round((performance.now() - startedMs) / 1_000)
      say(`${run + 1}/${scenarios} scenarios, ${failures.length} failed, ${seconds} s`)
    }
  }
  say(
    `${scenarios - failures.length} of ${scenarios} scenarios of ${steps} steps agree; ` +
      `the largest group had ${largest} members.`,
  )
  process.exitCode = failures.length > 0 ? 1 : 0
}

async function damageAll(messages: number): Promise<void> {
  try {
    await readDamaged(messages, first)
    say(`${messages} damaged messages were refused; the sound ones were taken.`)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
