import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDemo, overflows, PHONE, press, reads, type } from './lab/demo-page.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

/** What the demo keeps for the console, as far as this story looks at it. */
interface Parley {
  readonly client?: { missedCalls(): readonly unknown[] }
  readonly call?: {
    on(name: string, listener: (...heard: readonly never[]) => void): void
  }
}

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test('who was not there finds the call once, calls back, and is heard, seen and read', async () => {
  const alice = await openDemo(lab, 0, { path: '/?user=alice' })
  await type(alice, 'Name', 'bob')
  await press(alice, 'Audio call')
  await reads(alice, 'They will see that you called')

  const bob = await openDemo(lab, 1, { path: '/?user=bob', viewport: PHONE })
  await until('bob sees the missed call', () => missedBy(bob), isOne)
  expect(await missedBy(bob)).toEqual(['alice: You were not here'])
  expect(await overflows(bob)).toBe(false)
  await bob.reload()
  await until('bob sees it after a reload', () => missedBy(bob), isOne)
  await isConnected(bob)

  await until('alice sees bob', () => statusOf(alice, 'bob'), is('Online'))
  await bob.select('select.presence', 'away')
  await until('alice sees bob away', () => statusOf(alice, 'bob'), is('Away'))
  await bob.select('select.presence', 'invisible')
  await until(
    'alice sees bob no more',
    () => statusOf(alice, 'bob'),
    (shown) => shown.startsWith('Last seen'),
  )
  await bob.select('select.presence', 'online')

  await press(bob, 'Call alice back')
  await reads(alice, 'Audio call for you')
  await press(alice, 'Audio')
  for (const page of [alice, bob]) await reads(page, 'Direct')
  expect(await overflows(bob)).toBe(false)

  await listen(alice)
  await press(bob, 'Raise hand')
  await until(
    'alice sees the hand',
    () => tilesOf(alice),
    (labels) => labels.some((label) => label.startsWith('bob') && label.endsWith('hand raised')),
  )
  await press(bob, 'React or write')
  await press(bob, 'applause')
  await press(bob, 'React or write')
  await type(bob, 'Message to all', 'See you there')
  await press(bob, 'Send')
  const heard = await until(
    'alice hears both',
    () => heardBy(alice),
    ({ length }) => length === 2,
  )
  expect(heard).toEqual(['reaction 👏, shown 👏', 'message See you there, shown true'])
  await press(bob, 'Raise hand')
  await until(
    'alice sees no hand',
    () => tilesOf(alice),
    (labels) => labels.every((label) => !label.endsWith('hand raised')),
  )

  await press(bob, 'Leave call')
  await reads(bob, 'Join a room')
  await bob.reload()
  await isConnected(bob)
  await until('alice sees bob back', () => statusOf(alice, 'bob'), is('Online'))
  expect(await missedBy(bob)).toEqual([])
  expect(await toldAnew(bob)).toBe(0)
  for (const page of [alice, bob]) await page.close()
})

const isOne = ({ length }: readonly string[]) => length === 1
const is = (wanted: string) => (shown: string) => shown === wanted

async function isConnected(page: Page): Promise<void> {
  await reads(page, 'Sign out')
}

function missedBy(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('.missed li')].map((row) => {
      const [name, , why] = [...row.querySelectorAll('.name, .when')]
      return `${name?.textContent ?? ''}: ${why?.textContent ?? ''}`
    }),
  )
}

/** How many missed calls the page has heard of since it was loaded. */
function toldAnew(page: Page): Promise<number> {
  return page.evaluate(
    () => (globalThis as unknown as { parley: Parley }).parley.client?.missedCalls().length ?? -1,
  )
}

function statusOf(page: Page, user: string): Promise<string> {
  return page.evaluate((name) => {
    const rows = [...document.querySelectorAll('[aria-label="People"] li')]
    const row = rows.find((one) => one.querySelector('.name')?.textContent === name)
    return row?.querySelector('.status')?.textContent ?? ''
  }, user)
}

function tilesOf(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('.tile')].map((tile) => tile.getAttribute('aria-label') ?? ''),
  )
}

/** Notes what comes and what of it is on the page at that moment: it goes away by itself. */
async function listen(page: Page): Promise<void> {
  await page.evaluate(() => {
    const { parley } = globalThis as unknown as { parley: Parley }
    const notes: string[] = []
    Object.assign(globalThis, { notes })
    parley.call?.on('reaction', (reaction) => {
      const shown = document.querySelector('.tile .reaction')?.textContent ?? 'nothing'
      notes.push(`reaction ${String(reaction)}, shown ${shown}`)
    })
    parley.call?.on('message', ({ data }: { data: string }) => {
      const shown = document.getElementById('toasts')?.textContent.includes(`bob: ${data}`)
      notes.push(`message ${data}, shown ${String(shown)}`)
    })
  })
}

function heardBy(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => (globalThis as unknown as { notes: string[] }).notes)
}
