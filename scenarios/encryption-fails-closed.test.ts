import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { hears, watches } from './lab/caller.ts'
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
/** Of sounds and pictures of two people, a second or two. */
const MANY_FRAMES = 200
/** Of each of nine streams: more may not wait for the worker. */
const A_FEW_FRAMES = 3

let lab: Lab
const arrived: Caller[] = []

beforeAll(async () => {
  // The Opus decoder writes a line for each frame that it cannot read.
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  lab = await openLab(['chromium', 'firefox'], { tap: true, leaky: true })
})
afterEach(async () => {
  for (const one of arrived.splice(0)) await one.close()
})
afterAll(() => lab.close())

test('a browser from before script transforms, and a page with a strict policy, are encrypted too', async () => {
  const people = [
    await arrive('old', {}, { before: 'forgetScriptTransforms' }),
    await arrive('strict', { workerUrl: '/e2ee-worker.js' }, { strict: true }),
    await lab.arrive(FIREFOX, 'fox', { encryption: 'required' }),
  ]
  arrived.push(...people.slice(2))
  for (const one of people) await one.do('join', 'all-sorts')
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
  lab.parley.clearTap()
  // Keys by hand: people who agree on theirs are never without.
  const lost = await arrive('lost', { labKeys: true }, { before: 'loseTransforms' })
  const keyed = await arrive('keyed', { labKeys: true })
  const keyless = await arrive('keyless', { labKeys: true })
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
    () => lab.parley.tapped.length,
    (packets) => packets > 500,
  )
  const streams = overhear(lab.parley.tapped)
  for (const { mimeType, frames } of streams) {
    if (mimeType === 'audio/opus') expect(await toneLevel(frames, 440)).toBeLessThan(-10)
  }
  expect(await keyed.sent()).toBeGreaterThan(0)
  expect(await keyless.sent()).toBe(0)
})

test('who is removed decodes nothing more, though the node goes on sending to him', async () => {
  // A node has something to send only as long as they stay there.
  const alice = await arrive('alice', { grants: { host: true }, topology: 'sfu' })
  const bob = await arrive('bob', { topology: 'sfu' })
  const mallory = await arrive('mallory', {}, { before: 'hangOn' })
  const people = [alice, bob, mallory]
  for (const one of people) await one.do('join', 'parting')
  for (const one of people) await watches(one, without(people, one))
  await until(
    'mallory decodes pictures',
    () => mallory.taken(),
    ({ pictures }) => pictures > A_WHILE_FRAMES,
  )
  await alice.do('remove', 'mallory')
  await mallory.sees('that it is over', ({ endReason }) => endReason === 'removed')
  let before = await mallory.taken()
  await until(
    'frames of keys that mallory does not have go on coming, and he opens none and sees nothing',
    async () => {
      const now = await mallory.taken()
      const many = now.ofUnknownKeys > before.ofUnknownKeys + MANY_FRAMES
      const nothing = now.lastOpenedAt === before.lastOpenedAt && now.pictures === before.pictures
      // What is on its way at the switch is still for him.
      if (!nothing) before = now
      return { many, nothing, ...now }
    },
    ({ many, nothing }) => many && nothing,
  )
  await watches(alice, [bob])
  await watches(bob, [alice])
  for (const one of [alice, bob]) expect((await one.look()).encrypted).toBe(true)
})

test('who comes late can open nothing of what was sent before', async () => {
  const people = [await arrive('alice'), await arrive('bob', { topology: 'sfu' })]
  const [alice, bob] = people
  if (!alice || !bob) throw new Error('nobody came')
  lab.parley.clearTap()
  for (const one of people) await one.do('join', 'early')
  await watches(bob, [alice])
  await until(
    'frames are recorded',
    () => cameraFrames().length,
    (frames) => frames > A_FEW_FRAMES,
  )
  const late = await arrive('late', {}, { before: 'hangOn' })
  const earlier = cameraFrames()
  await late.do('join', 'early')
  await watches(late, people)
  const senders = [(await alice.look()).self ?? '', (await bob.look()).self ?? '']
  for (const sender of senders) expect(await late.opened(sender, earlier)).toBe(0)
  // Frames of now: of the layers that late is not sent the keys open each once.
  await until(
    'late opens frames of now',
    async () => {
      const opened = senders.map((sender) => late.opened(sender, cameraFrames()))
      return (await Promise.all(opened)).reduce((sum, count) => sum + count, 0)
    },
    (opened) => opened > 0,
  )
})

async function arrive(user: string, options: object = {}, page: PageKind = {}): Promise<Caller> {
  const caller = await lab.arrive(CHROMIUM, user, { encryption: 'required', ...options }, page)
  arrived.push(caller)
  return caller
}

/** The newest of what the node has of cameras, sealed; each layer is a stream. */
function cameraFrames(): readonly Uint8Array[] {
  return overhear(lab.parley.tapped)
    .filter(({ mimeType }) => mimeType === 'video/VP8')
    .flatMap(({ frames }) => frames.slice(-A_FEW_FRAMES))
}
