import { afterAll, beforeAll, expect, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test('[RELOAD-1] a page that is loaded again is back in its call, and the other side goes on', async () => {
  const [alice, bob] = [await lab.arrive(0, 'alice'), await lab.arrive(1, 'bob')]
  await alice.do('call', 'bob')
  await bob.isRung()
  await bob.do('accept')
  await watches(alice, [bob])
  await bob.reload()
  await bob.sees('the call again', ({ state }) => state === 'connected')
  await watches(alice, [bob])
  await watches(bob, [alice])
  await hears(alice, [bob])
  expect((await alice.look()).log).not.toContain('state ended')
  // A copied tab has a copy of all that is stored, and yet is another device.
  const copy = await bob.copyTab()
  expect((await copy.look()).state).toBe('none')
  await watches(alice, [bob])
  expect((await bob.look()).state).toBe('connected')
  await bob.do('hangup')
  await alice.sees('the end', ({ state, endReason }) => state === 'ended' && endReason === 'hangup')
})
