import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium, launchFirefox } from './lab/browsers.ts'
import type { ToneBrowser } from './lab/browsers.ts'
import { Caller, hears, watches } from './lab/caller.ts'
import { servePage } from './lab/page-server.ts'
import { ParleyProcess } from './lab/parley-process.ts'

let parley: ParleyProcess
let page: Awaited<ReturnType<typeof servePage>>
let chromium: ToneBrowser
let firefox: ToneBrowser

beforeAll(async () => {
  parley = await ParleyProcess.start()
  page = await servePage()
  chromium = await launchChromium(440)
  firefox = await launchFirefox(1_000)
})
afterAll(async () => {
  await chromium.browser.close()
  await firefox.browser.close()
  page.close()
  await parley.stop()
})

test('four people, one of them in Firefox, meet through the SFU, and go on when one leaves', async () => {
  const people = await gather('standup', ['alice', 'bob', 'carol'], ['dave'])
  for (const one of people) {
    await one.sees('the SFU', ({ state, path }) => state === 'connected' && path === 'sfu')
  }
  for (const one of people) {
    const others = people.filter((other) => other !== one)
    await watches(one, others)
    await hears(one, others)
  }
  const [alice, bob, ...rest] = people
  await bob?.do('hangup')
  const left = [alice, ...rest].filter((one) => one !== undefined)
  for (const one of left) {
    await one.sees('that bob is gone', ({ others }) => others.every(({ user }) => user !== 'bob'))
    await watches(
      one,
      left.filter((other) => other !== one),
    )
  }
  for (const one of people) await one.close()
})

test('a worker that is killed is replaced, and everybody has media again', async () => {
  const people = await gather('all-hands', ['alice', 'bob', 'carol'], [])
  for (const one of people) {
    await watches(
      one,
      people.filter((other) => other !== one),
    )
  }
  const before = parley.workerPids()
  expect(before.length).toBeGreaterThan(0)
  for (const pid of before) process.kill(pid, 'SIGKILL')
  for (const one of people) {
    const others = people.filter((other) => other !== one)
    await watches(one, others)
    await hears(one, others)
    expect((await one.look()).state).toBe('connected')
  }
  expect(parley.workerPids().filter((pid) => before.includes(pid))).toEqual([])
  for (const one of people) await one.close()
})

test('a third person moves a direct call to the SFU without a frozen picture', async () => {
  const [alice, bob, carol] = await gather('huddle', ['alice', 'bob'], []).then(async (two) => {
    for (const one of two) await one.sees('a direct path', ({ path }) => path === 'direct')
    return [...two, await arriveIn(chromium, 'carol')]
  })
  if (!alice || !bob || !carol) throw new Error('somebody is missing')
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
    const { log } = await one.look()
    expect(log.slice(log.indexOf('path direct'))).toEqual([
      'path direct',
      'state connected',
      'path sfu',
    ])
  }
  for (const one of [alice, bob, carol]) await one.close()
})

async function gather(
  room: string,
  inChromium: readonly string[],
  inFirefox: readonly string[],
): Promise<Caller[]> {
  const people: Caller[] = []
  for (const user of inChromium) people.push(await arriveIn(chromium, user))
  for (const user of inFirefox) people.push(await arriveIn(firefox, user))
  for (const one of people) await one.do('join', room)
  return people
}

function arriveIn(browser: ToneBrowser, user: string): Promise<Caller> {
  return Caller.arrive(browser, { user, pageUrl: page.url, parleyUrl: parley.url })
}
