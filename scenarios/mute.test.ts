import { afterAll, beforeAll, expect, test } from 'vitest'
import { hears } from './lab/caller.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test.each(['auto', 'sfu'])(
  'who is muted is not heard, on a path of topology %s',
  async (topology) => {
    const alice = await lab.arrive(0, 'alice', { topology })
    const bob = await lab.arrive(1, 'bob', { topology })
    for (const one of [alice, bob]) await one.do('join', `quiet-${topology}`)
    await hears(bob, [alice])
    await alice.do('setMicrophone', false)
    await until(
      'bob hears nothing of alice',
      () => bob.listen(),
      (heard) => heard['alice'] === 0,
    )
    expect((await bob.look()).speaker).not.toBe('alice')
    await alice.do('setMicrophone', true)
    await hears(bob, [alice])
    for (const one of [alice, bob]) await one.close()
  },
)
