import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from './lab/browsers.ts'
import type { ToneBrowser } from './lab/browsers.ts'
import { Caller, hears, watches } from './lab/caller.ts'
import { servePage } from './lab/page-server.ts'
import { ParleyProcess } from './lab/parley-process.ts'
import { until } from './lab/patience.ts'

let parley: ParleyProcess
let page: Awaited<ReturnType<typeof servePage>>
const browsers: ToneBrowser[] = []

beforeAll(async () => {
  parley = await ParleyProcess.start()
  page = await servePage()
  browsers.push(await launchChromium(440), await launchChromium(880))
})
afterAll(async () => {
  for (const { browser } of browsers) await browser.close()
  page.close()
  await parley.stop()
})

test('two people call each other directly, see and hear each other, and hang up', async () => {
  const [alice, bob] = await arrive('alice', 'bob')
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
  // DTLS-SRTP between the browsers is not yet bound to verified device keys, so it is not claimed.
  expect((await alice.look()).encrypted).toBe(false)
  await bob.do('hangup')
  for (const one of [alice, bob]) {
    expect((await one.sees('the end', ({ state }) => state === 'ended')).endReason).toBe('hangup')
  }
  await leave(alice, bob)
})

test('a relay-only call goes through our TURN server', async () => {
  const before = await parley.metric('parley_turn_relayed_bytes_total')
  const [alice, bob] = await arrive('alice', 'bob', { iceTransportPolicy: 'relay' })
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
    () => parley.metric('parley_turn_relayed_bytes_total'),
    (bytes) => bytes > before + 10_000,
  )
  await alice.do('hangup')
  await bob.sees('the end', ({ state, endReason }) => state === 'ended' && endReason === 'hangup')
  await leave(alice, bob)
})

test('a caller who gives up, and a callee who declines, are told so', async () => {
  const [alice, bob] = await arrive('alice', 'bob')
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

async function arrive(one: string, other: string, options: object = {}): Promise<[Caller, Caller]> {
  const spec = { pageUrl: page.url, parleyUrl: parley.url, options }
  const [first, second] = browsers
  if (!first || !second) throw new Error('the browsers are not there')
  return [
    await Caller.arrive(first, { ...spec, user: one }),
    await Caller.arrive(second, { ...spec, user: other }),
  ]
}

async function leave(...callers: readonly Caller[]): Promise<void> {
  for (const caller of callers) await caller.close()
}
