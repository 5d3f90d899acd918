import { afterAll, beforeAll, expect, test } from 'vitest'
import { hears, hearsNothingOf } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium', 'chromium'])
})
afterAll(() => lab.close())

test('[WAIT-1] [HOLD-1] [HOLD-2] a second call is answered while the first one waits, which then is taken up', async () => {
  const [alice, bob, carol] = await arrive()
  await talk(alice, bob)
  await carol.do('call', 'bob')
  await bob.hasOneWaiting()
  await bob.do('accept', 'hold')
  await hears(bob, [carol])
  await hears(carol, [bob])
  await alice.sees('that bob holds', ({ others }) => others.some(({ onHold }) => onHold))
  await hearsNothingOf(alice, bob)
  // Back to the first one: now the second waits.
  await bob.do('turnTo', 'alice')
  expect((await bob.look()).onHold).toBe(true)
  await bob.do('resume')
  await hears(bob, [alice])
  await hears(alice, [bob])
  await hearsNothingOf(carol, bob)
  await bob.do('hangup')
  await alice.sees('the end', ({ endReason }) => endReason === 'hangup')
  await bob.do('turnTo', 'carol')
  await bob.do('hangup')
  await carol.sees('the end', ({ endReason }) => endReason === 'hangup')
  await leave(alice, bob, carol)
})

test('[TRANSFER-1] who is transferred hears the old one until the new one answers', async () => {
  const [alice, bob, carol] = await arrive()
  await talk(alice, bob)
  await alice.do('transfer', 'carol')
  await carol.isRung()
  await hears(bob, [alice])
  await carol.do('accept')
  await hears(bob, [carol])
  await hears(carol, [bob])
  expect((await alice.sees('the end', ({ state }) => state === 'ended')).endReason).toBe(
    'transferred',
  )
  await bob.sees('that carol is the one', ({ others, state }) => {
    return state === 'connected' && others.map(({ user }) => user).join() === 'carol'
  })
  await leave(alice, bob, carol)
})

test('[TRANSFER-2] a transfer that is declined leaves the two where they were', async () => {
  const [alice, bob, carol] = await arrive()
  await talk(alice, bob)
  await alice.do('transfer', 'carol')
  await carol.isRung()
  await carol.do('decline')
  await hears(bob, [alice])
  expect((await alice.look()).state).toBe('connected')
  await leave(alice, bob, carol)
})

test('[TRANSFER-3] two calls become one of those who were in them', async () => {
  const [alice, bob, carol] = await arrive()
  await talk(alice, bob)
  await alice.do('call', 'carol')
  await carol.isRung()
  await carol.do('accept')
  await hears(alice, [carol])
  await alice.do('turnTo', 'bob')
  await alice.do('transferTo', 'carol')
  await hears(bob, [carol])
  await hears(carol, [bob])
  await alice.sees('the end', ({ endReason }) => endReason === 'transferred')
  await carol.do('hangup')
  await bob.sees('the end', ({ endReason }) => endReason === 'hangup')
  await leave(alice, bob, carol)
})

async function arrive(): Promise<[Caller, Caller, Caller]> {
  return [await lab.arrive(0, 'alice'), await lab.arrive(1, 'bob'), await lab.arrive(2, 'carol')]
}

async function talk(caller: Caller, callee: Caller): Promise<void> {
  await caller.do('call', callee.user)
  await callee.isRung()
  await callee.do('accept')
  await hears(caller, [callee])
  await hears(callee, [caller])
}

async function leave(...callers: readonly Caller[]): Promise<void> {
  for (const caller of callers) await caller.close()
}
