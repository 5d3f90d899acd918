import { describe, expect, test } from 'vitest'
import { memoryIdentityStore } from './identity.ts'
import { sealFor, SealingKeys } from './sealing-key.ts'

const DAY_MS = 24 * 60 * 60 * 1_000
const WORDS = new TextEncoder().encode('About the blue folder')
const INFO = new TextEncoder().encode('of this ring')

describe('the keys that things are sealed for', () => {
  test('[PAYLOAD-5] are new each week, and the same until then, in all tabs and after a reload', async () => {
    const device = newDevice()
    const first = await device.tab().current()
    const [here, there] = [device.tab(), device.tab()]
    expect(await Promise.all([here.current(), there.current()])).toEqual([first, first])
    device.clock.now += 7 * DAY_MS
    const [second, same] = await Promise.all([here.current(), there.current()])
    expect(second).not.toEqual(first)
    expect(same).toEqual(second)
    expect(await device.tab().current()).toEqual(second)
  })

  test('[PAYLOAD-5] open what was sealed for one that was replaced five weeks ago, and in the end no more', async () => {
    const device = newDevice()
    const keys = device.tab()
    const sealed = await sealFor(await keys.current(), WORDS, INFO)
    for (let week = 1; week <= 6; week++) {
      device.clock.now += 7 * DAY_MS
      await keys.current()
      expect(await device.tab().open(sealed, INFO)).toEqual(WORDS)
    }
    device.clock.now += 7 * DAY_MS
    await keys.current()
    await expect(device.tab().open(sealed, INFO)).rejects.toThrow('no key')
    expect(device.count()).toBe(7)
  })

  test('[PAYLOAD-5] open what waits for somebody who has been away for months', async () => {
    const device = newDevice()
    const sealed = await sealFor(await device.tab().current(), WORDS, INFO)
    device.clock.now += 200 * DAY_MS
    const back = device.tab()
    await back.current()
    expect(await back.open(sealed, INFO)).toEqual(WORDS)
  })

  test('change with a clock that was set back, and forget nothing by it', async () => {
    const device = newDevice()
    const keys = device.tab()
    device.clock.now += 900 * DAY_MS
    const ahead = await sealFor(await keys.current(), WORDS, INFO)
    device.clock.now -= 900 * DAY_MS
    const [now, later] = [await keys.current(), await keys.current()]
    expect(later).toEqual(now)
    for (const sealed of [ahead, await sealFor(now, WORDS, INFO)]) {
      expect(await keys.open(sealed, INFO)).toEqual(WORDS)
    }
  })

  test('are of one user alone', async () => {
    const device = newDevice()
    const sealed = await sealFor(await device.tab().current(), WORDS, INFO)
    const other = device.tab('alice')
    await other.current()
    await expect(other.open(sealed, INFO)).rejects.toThrow('no key')
  })
})

function newDevice() {
  const clock = { now: 1_000 * DAY_MS }
  const names = new Set<string>()
  const memory = memoryIdentityStore()
  const store: typeof memory = {
    ...memory,
    add: (name, value) => memory.add(name, value).finally(() => names.add(name)),
    delete: (name) => memory.delete(name).finally(() => names.delete(name)),
  }
  return {
    clock,
    tab: (user = 'bob') => new SealingKeys({ store, user, now: () => clock.now }),
    /** Key pairs that are kept. */
    count: () => names.size,
  }
}
