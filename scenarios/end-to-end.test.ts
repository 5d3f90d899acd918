import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { openLab, without } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

const CHROMIUM = 0
const FIREFOX = 1

let lab: Lab
const arrived: Caller[] = []

beforeAll(async () => {
  lab = await openLab(['chromium', 'firefox'])
})
afterEach(async () => {
  for (const one of arrived.splice(0)) await one.close()
})
afterAll(() => lab.close())

test('two browsers agree on keys, talk directly, and see one code', async () => {
  const [alice, bob] = [await arrive(CHROMIUM, 'alice'), await arrive(FIREFOX, 'bob')]
  await talk(alice, bob)
  await areSealed([alice, bob], 'direct')
})

test('a third one comes and goes: through the node and back, encrypted all along', async () => {
  const alice = await arrive(CHROMIUM, 'alice')
  const bob = await arrive(FIREFOX, 'bob')
  const carol = await arrive(CHROMIUM, 'carol')
  await talk(alice, bob)
  const before = await areSealed([alice, bob], 'direct')
  await isHeard('direct words', alice, [bob])
  await alice.do('invite', 'carol')
  await carol.isRung()
  await carol.do('accept')
  const people = [alice, bob, carol]
  const during = await areSealed(people, 'sfu')
  expect(during).not.toBe(before)
  await isHeard('words to all', bob, [alice, carol])
  await carol.do('hangup')
  const after = await areSealed([alice, bob], 'direct')
  expect([before, during]).not.toContain(after)
  for (const one of [alice, bob]) {
    const { log } = await one.look()
    expect(log.filter((line) => /^(encrypted|security|error)/.test(line))).toEqual([
      'encrypted true',
    ])
  }
})

/** What one says is told to the others, who take nothing that is not sealed. */
async function isHeard(words: string, from: Caller, others: readonly Caller[]): Promise<void> {
  await from.do('send', words)
  const line = `message ${words} from ${from.user}`
  for (const one of others) await one.sees(line, ({ log }) => log.includes(line))
}

async function arrive(browser: number, user: string): Promise<Caller> {
  const caller = await lab.arrive(browser, user, { encryption: 'required' })
  arrived.push(caller)
  return caller
}

async function talk(caller: Caller, callee: Caller): Promise<void> {
  await caller.do('call', callee.user)
  await callee.isRung()
  await callee.do('accept')
}

/** All see and hear each other on this path, know that it is encrypted, and show one code. */
async function areSealed(people: readonly Caller[], path: string): Promise<string> {
  for (const one of people) {
    const others = without(people, one)
    await one.sees(
      `the path ${path}`,
      (sight) => sight.path === path && sight.state === 'connected',
    )
    await watches(one, others)
    await hears(one, others)
    await one.sees('encryption', ({ encrypted }) => encrypted)
  }
  const codes = await until(
    'all show one code',
    () => Promise.all(people.map(async (one) => (await one.look()).verification)),
    (all) => all[0] !== undefined && all.every((code) => code === all[0]),
  )
  return codes[0] ?? ''
}
