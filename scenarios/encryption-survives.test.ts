import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { giveKeys } from './lab/given-keys.ts'
import { openLab, without } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

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

test('a worker of the node dies, and the call goes on encrypted with the same keys', async () => {
  const people = [
    await lab.arrive(CHROMIUM, 'alice', { labKeys: true }),
    await lab.arrive(CHROMIUM, 'bob', { labKeys: true }),
    await lab.arrive(FIREFOX, 'carol', { labKeys: true }),
  ]
  arrived.push(...people)
  for (const one of people) await one.do('join', 'lasting')
  await giveKeys(people, { epoch: 1 })
  for (const one of people) await watches(one, without(people, one))
  const before = lab.parley.workerPids()
  for (const pid of before) process.kill(pid, 'SIGKILL')
  for (const one of people) {
    await watches(one, without(people, one))
    await hears(one, without(people, one))
    await one.sees('encryption', ({ encrypted }) => encrypted)
  }
  expect(lab.parley.workerPids().filter((pid) => before.includes(pid))).toEqual([])
})
