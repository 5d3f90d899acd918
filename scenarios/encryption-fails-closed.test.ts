import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { framesSeen, hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { overhear, toneLevel } from './lab/eavesdropper.ts'
import { giveKeys } from './lab/given-keys.ts'
import { openLab, without } from './lab/lab.ts'
import type { Lab, PageKind } from './lab/lab.ts'
import { until } from './lab/patience.ts'

const CHROMIUM = 0
const FIREFOX = 1
/** Enough for whatever was under way to have arrived. */
const A_WHILE_FRAMES = 40

let lab: Lab
const arrived: Caller[] = []

beforeAll(async () => {
  // The Opus decoder writes a line for each frame that it cannot read.
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  lab = await openLab(['chromium', 'firefox'], { tap: true })
})
afterEach(async () => {
  for (const one of arrived.splice(0)) await one.close()
})
afterAll(() => lab.close())

test('a browser from before script transforms, and a page with a strict policy, are encrypted too', async () => {
  const people = [
    await arrive('old', {}, { before: 'forgetScriptTransforms' }),
    await arrive('strict', { workerUrl: '/e2ee-worker.js' }, { strict: true }),
    await lab.arrive(FIREFOX, 'fox', { labKeys: true }),
  ]
  arrived.push(...people.slice(2))
  for (const one of people) await one.do('join', 'all-sorts')
  await giveKeys(people, { epoch: 1 })
  for (const one of people) {
    await watches(one, without(people, one))
    await hears(one, without(people, one))
    await one.sees('encryption', ({ encrypted }) => encrypted)
  }
})

test('where the page allows no worker the call is not joined, and says why', async () => {
  const refused = await arrive('none', {}, { strict: true })
  const people = [await arrive('a'), await arrive('b'), refused]
  for (const one of people) await one.do('join', 'refused')
  const { log } = await refused.sees('the end', ({ state }) => state === 'ended')
  expect(log.filter((line) => line.startsWith('error'))).toEqual([
    expect.stringContaining('encryption-unsupported'),
  ])
})

test('nothing leaves without keys; a sender whose transform is lost sends silence, and is stopped', async () => {
  const before = lab.parley.tapped.length
  const lost = await arrive('lost', {}, { before: 'loseTransforms' })
  const keyed = await arrive('keyed')
  const keyless = await arrive('keyless')
  const people = [lost, keyed, keyless]
  for (const one of people) await one.do('join', 'closed')
  await giveKeys([lost, keyed], { epoch: 1, members: people })
  await lost.sees('that it was stopped', ({ log }) =>
    ['microphone', 'camera'].every((source) =>
      log.some((line) => line.startsWith('error encryption-lost') && line.includes(source)),
    ),
  )
  // Of two who send, one has keys: what the node gets is all of that one, and silence of the other.
  await until(
    'the node hears who has keys',
    () => lab.parley.tapped.length - before,
    (packets) => packets > 500,
  )
  const streams = overhear(lab.parley.tapped.slice(before))
  for (const { mimeType, frames } of streams) {
    if (mimeType === 'audio/opus') expect(await toneLevel(frames, 440)).toBeLessThan(-10)
  }
  expect(await keyed.sent()).toBeGreaterThan(0)
  expect(await keyless.sent()).toBe(0)
})

test('who is no member of the new epoch sees nothing of it, and the others go on', async () => {
  const [alice, bob, mallory] = [
    await arrive('alice'),
    await arrive('bob'),
    await arrive('mallory'),
  ]
  const people = [alice, bob, mallory]
  for (const one of people) await one.do('join', 'parting')
  await giveKeys(people, { epoch: 1 })
  for (const one of people) await watches(one, without(people, one))
  await giveKeys([alice, bob], { epoch: 2, members: people, cause: 'leave' })
  for (const one of [alice, bob]) await one.sees('epoch 2', ({ epochs }) => epochs.includes(2))
  await pass(alice, 'bob')
  const seen = await framesSeen(mallory, 'alice')
  await pass(alice, 'bob')
  await pass(bob, 'alice')
  expect(await framesSeen(mallory, 'alice')).toBe(seen)
  for (const one of [alice, bob]) expect((await one.look()).encrypted).toBe(true)
})

async function arrive(user: string, options: object = {}, page: PageKind = {}): Promise<Caller> {
  const caller = await lab.arrive(CHROMIUM, user, { labKeys: true, ...options }, page)
  arrived.push(caller)
  return caller
}

/** Waits until `viewer` has seen a good deal more of somebody. */
async function pass(viewer: Caller, user: string): Promise<void> {
  const before = await framesSeen(viewer, user)
  await until(
    `${viewer.user} sees more of ${user}`,
    () => framesSeen(viewer, user),
    (frames) => frames > before + A_WHILE_FRAMES,
  )
}
