import { afterAll, beforeAll, expect, test } from 'vitest'
import { hears } from './lab/caller.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium', 'chromium'])
})
afterAll(() => lab.close())

test('[RING-2] a call rings on three devices, is answered on one, and the others are told', async () => {
  const alice = await lab.arrive(0, 'alice')
  const phone = await lab.arrive(1, 'bob', { device: 'phone' })
  const laptop = await lab.arrive(1, 'bob', { device: 'laptop' })
  const tablet = await lab.arrive(2, 'bob', { device: 'tablet' })
  await alice.do('call', 'bob')
  for (const device of [phone, laptop, tablet]) await device.isRung()
  await tablet.do('accept')
  await hears(alice, [tablet])
  for (const device of [phone, laptop]) {
    await device.sees('who answered', ({ endReason }) => endReason === 'answered-elsewhere')
  }
  const { others } = await alice.look()
  expect(others.map(({ device }) => device)).toEqual(['tablet'])
  for (const one of [alice, phone, laptop, tablet]) await one.close()
})

test('[MOVE-1] a call moves to another device, and the others hear on', async () => {
  const alice = await lab.arrive(0, 'alice')
  const phone = await lab.arrive(1, 'bob', { device: 'phone' })
  await alice.do('call', 'bob')
  await phone.isRung()
  await phone.do('accept')
  await hears(alice, [phone])
  // Pulled to the laptop, which came later.
  const laptop = await lab.arrive(2, 'bob', { device: 'laptop' })
  await laptop.do('takeOver')
  await phone.sees('that the call has moved', ({ endReason }) => endReason === 'moved')
  await hears(alice, [laptop])
  await hears(laptop, [alice])
  await alice.sees('one bob only', ({ others }) => others.map((o) => o.device).join() === 'laptop')
  // Pushed back to the phone, where it rings.
  await laptop.do('move', 'phone')
  await phone.isRung()
  await phone.do('accept')
  await laptop.sees('that the call has moved', ({ endReason }) => endReason === 'moved')
  await hears(alice, [phone])
  await hears(phone, [alice])
  for (const one of [alice, phone, laptop]) await one.close()
})
