import { afterAll, beforeAll, test } from 'vitest'
import { glare } from './lab/glare.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test('[RING-9] two who call each other at the same time are in one call, twenty times in a row', async () => {
  const alice = await lab.arrive(0, 'alice')
  const bob = await lab.arrive(1, 'bob')
  await glare(alice, bob, { rounds: 20 })
  await alice.close()
  await bob.close()
})
