import { afterAll, beforeAll, expect, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test('two people call each other directly, see and hear each other, and hang up', async () => {
  const [alice, bob] = await arrive()
  await alice.do('call', 'bob')
  expect((await alice.look()).log[0]).toBe('state dialing')
  await bob.isRung()
  await bob.do('accept')
  for (const one of [alice, bob]) {
    await one.sees('a direct path', ({ state, path }) => state === 'connected' && path === 'direct')
  }
  await watches(alice, [bob])
  await watches(bob, [alice])
  await hears(alice, [bob])
  await hears(bob, [alice])
  for (const one of [alice, bob]) await one.sees('encryption', ({ encrypted }) => encrypted)
  await bob.do('hangup')
  for (const one of [alice, bob]) {
    expect((await one.sees('the end', ({ state }) => state === 'ended')).endReason).toBe('hangup')
  }
  await leave(alice, bob)
})

test('a relay-only call goes through our TURN server', async () => {
  const before = await lab.parley.metric('parley_turn_relayed_bytes_total')
  const [alice, bob] = await arrive({ iceTransportPolicy: 'relay' })
  await alice.do('call', 'bob')
  await bob.isRung()
  await bob.do('accept')
  for (const one of [alice, bob]) {
    await one.sees('a relayed path', ({ state, path }) => state === 'connected' && path === 'relay')
  }
  await watches(alice, [bob])
  await hears(bob, [alice])
  await until(
    'the relay counts the bytes',
    () => lab.parley.metric('parley_turn_relayed_bytes_total'),
    (bytes) => bytes > before + 10_000,
  )
  await alice.do('hangup')
  await bob.sees('the end', ({ state, endReason }) => state === 'ended' && endReason === 'hangup')
  await leave(alice, bob)
})

test('a caller who gives up, and a callee who declines, are told so', async () => {
  const [alice, bob] = await arrive()
  await alice.do('call', 'bob')
  await bob.isRung()
  await bob.do('decline')
  expect((await alice.sees('the end', ({ state }) => state === 'ended')).endReason).toBe('declined')
  await alice.do('call', 'bob')
  await bob.isRung()
  await alice.do('hangup')
  expect((await bob.sees('the end', ({ state }) => state === 'ended')).endReason).toBe('cancelled')
  await leave(alice, bob)
})

async function arrive(options: object = {}): Promise<[Caller, Caller]> {
  return [await lab.arrive(0, 'alice', options), await lab.arrive(1, 'bob', options)]
}

async function leave(...callers: readonly Caller[]): Promise<void> {
  for (const caller of callers) await caller.close()
}
