import { afterAll, beforeAll, test } from 'vitest'
import { hears, watches } from './lab/caller.ts'
import type { Caller } from './lab/caller.ts'
import { openLab, without } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'

const CHROMIUM = 0
const FIREFOX = 1

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'firefox'], { tap: true })
})
afterAll(() => lab.close())

test('a room of Chromium and Firefox is seen and heard by those with keys', async () => {
  const people = await gather('sealed', {})
  await begin(people, 1)
  for (const one of people) {
    await watches(one, without(people, one))
    await hears(one, without(people, one))
    await one.sees('that it is encrypted', ({ encrypted }) => encrypted)
  }
  for (const one of people) await one.close()
})

async function gather(room: string, options: object): Promise<Caller[]> {
  const all = { labKeys: true, ...options }
  const people = [
    await lab.arrive(CHROMIUM, 'alice', all),
    await lab.arrive(CHROMIUM, 'bob', all),
    await lab.arrive(FIREFOX, 'carol', all),
  ]
  for (const one of people) await one.do('join', room)
  return people
}

async function begin(people: readonly Caller[], epoch: number): Promise<void> {
  const seats: string[] = []
  for (const one of people) {
    const { self } = await one.sees('its seat', (sight) => sight.self !== undefined)
    seats.push(self ?? '')
  }
  const leaves = seats.map((seat, leaf) => [seat, leaf] as const)
  for (const [ownLeaf, one] of people.entries()) {
    await one.sees('the SFU', ({ path }) => path === 'sfu')
    await one.do('beginEpoch', { epoch, secret: 'story', ownLeaf, leaves, cause: 'join' })
  }
}
