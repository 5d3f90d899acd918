import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { headerOf, overhear } from './lab/eavesdropper.ts'
import { areEncrypted, encryptedFromNow } from './lab/encryption.ts'
import { giveKeys } from './lab/given-keys.ts'
import { openLab, without } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

const CHROMIUM = 0
const FIREFOX = 1

let lab: Lab
const arrived: Caller[] = []

beforeAll(async () => {
  lab = await openLab(['chromium', 'firefox'], { tap: true })
})
afterEach(async () => {
  for (const one of arrived.splice(0)) await one.close()
})
afterAll(() => lab.close())

test('a worker of the node dies, and the call goes on encrypted with the same keys', async () => {
  const encryption = 'required'
  const people = [
    await lab.arrive(CHROMIUM, 'alice', { encryption }),
    await lab.arrive(CHROMIUM, 'bob', { encryption }),
    await lab.arrive(FIREFOX, 'carol', { encryption }),
  ]
  arrived.push(...people)
  for (const one of people) await one.do('join', 'lasting')
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

test('a page is loaded again and is back, and those who stayed were encrypted all along', async () => {
  const bob = await lab.arrive(CHROMIUM, 'bob')
  const people = [await lab.arrive(CHROMIUM, 'alice'), bob, await lab.arrive(FIREFOX, 'carol')]
  arrived.push(...people)
  for (const one of people) await one.do('join', 'reloaded')
  for (const one of people) await watches(one, without(people, one))
  const wereEncrypted = await encryptedFromNow(without(people, bob))
  await bob.reload()
  await bob.sees('the call again', ({ state }) => state === 'connected')
  for (const one of people) {
    await watches(one, without(people, one))
    await hears(one, without(people, one))
  }
  await wereEncrypted()
  await areEncrypted(people)
})

test('no counter comes twice, over all layers, and over a reload in the same epoch', async () => {
  lab.parley.clearTap()
  const alice = await lab.arrive(CHROMIUM, 'alice', { labKeys: true, topology: 'sfu' })
  const people = [
    alice,
    await lab.arrive(CHROMIUM, 'bob', { labKeys: true }),
    await lab.arrive(FIREFOX, 'carol', { labKeys: true }),
  ]
  arrived.push(...people)
  for (const one of people) await one.do('join', 'counted')
  await giveKeys(people, { epoch: 1 })
  for (const one of people) await watches(one, without(people, one))
  await alice.reload()
  await alice.do('join', 'counted')
  await giveKeys(people, { epoch: 1 })
  for (const one of people) await watches(one, without(people, one))
  // A browser that is short of bandwidth or of CPU begins with one layer.
  await until(
    'there are layers',
    () => overhear(lab.parley.tapped).filter(({ mimeType }) => mimeType === 'video/VP8').length,
    (layers) => layers > people.length + 1,
  )
  const headers = overhear(lab.parley.tapped).flatMap(({ frames }) =>
    frames.flatMap((frame) => headerOf(frame) ?? []),
  )
  expect(headers.length).toBeGreaterThan(500)
  expect(new Set(headers).size).toBe(headers.length)
})
