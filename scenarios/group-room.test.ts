import { afterAll, beforeAll, expect, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { openLab, without } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

const CHROMIUM = 0
const FIREFOX = 1

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'firefox'])
})
afterAll(() => lab.close())

test('four people, one of them in Firefox, meet through the SFU, and go on when one leaves', async () => {
  const people = await gather('standup', ['alice', 'bob', 'carol'], ['dave'])
  for (const one of people) {
    await one.sees('the SFU', ({ state, path }) => state === 'connected' && path === 'sfu')
  }
  for (const one of people) {
    const others = without(people, one)
    await watches(one, others)
    await hears(one, others)
  }
  const [alice, bob, ...rest] = people
  await bob?.do('hangup')
  const left = [alice, ...rest].filter((one) => one !== undefined)
  for (const one of left) {
    await one.sees('that bob is gone', ({ others }) => others.every(({ user }) => user !== 'bob'))
    await watches(one, without(left, one))
  }
  for (const one of people) await one.close()
})

test('a worker that is killed is replaced, and everybody has media again', async () => {
  const people = await gather('all-hands', ['alice', 'bob', 'carol'], [])
  for (const one of people) {
    await watches(one, without(people, one))
  }
  const before = lab.parley.workerPids()
  expect(before.length).toBeGreaterThan(0)
  for (const pid of before) process.kill(pid, 'SIGKILL')
  for (const one of people) {
    const others = without(people, one)
    await watches(one, others)
    await hears(one, others)
    expect((await one.look()).state).toBe('connected')
  }
  expect(lab.parley.workerPids().filter((pid) => before.includes(pid))).toEqual([])
  for (const one of people) await one.close()
})

test('a third person moves a direct call to the SFU and back without a frozen picture', async () => {
  const alice = await lab.arrive(CHROMIUM, 'alice')
  const bob = await lab.arrive(CHROMIUM, 'bob')
  await alice.do('call', 'bob')
  await bob.isRung()
  await bob.do('accept')
  for (const one of [alice, bob]) {
    await one.sees('a direct path', ({ state, path }) => state === 'connected' && path === 'direct')
  }
  const carol = await lab.arrive(CHROMIUM, 'carol')
  await alice.do('invite', 'carol')
  await carol.isRung()
  await carol.do('accept')
  for (const one of [alice, bob, carol]) {
    await one.sees('the SFU', ({ state, path }) => state === 'connected' && path === 'sfu')
  }
  await watches(alice, [bob, carol])
  await watches(carol, [alice, bob])
  // For the two who talked nothing but the path changed.
  for (const one of [alice, bob]) {
    const log = await pathsOf(one)
    expect(log.slice(log.indexOf('path direct'))).toEqual([
      'path direct',
      'state connected',
      'path sfu',
    ])
  }
  await carol.do('hangup')
  for (const one of [alice, bob]) {
    await one.sees('a direct path again', ({ path }) => path === 'direct')
  }
  await watches(alice, [bob])
  await watches(bob, [alice])
  await hears(alice, [bob])
  for (const one of [alice, bob]) {
    const log = await pathsOf(one)
    expect(log.slice(log.indexOf('path sfu'))).toEqual(['path sfu', 'path direct'])
  }
  for (const one of [alice, bob, carol]) await one.close()
})

/** What happened to somebody's call but for its encryption, which comes when it does. */
async function pathsOf(one: Caller): Promise<readonly string[]> {
  return (await one.look()).log.filter((line) => !line.startsWith('encrypted'))
}

async function gather(
  room: string,
  inChromium: readonly string[],
  inFirefox: readonly string[],
): Promise<Caller[]> {
  const people: Caller[] = []
  for (const user of inChromium) people.push(await lab.arrive(CHROMIUM, user))
  for (const user of inFirefox) people.push(await lab.arrive(FIREFOX, user))
  for (const one of people) await one.do('join', room)
  return people
}
