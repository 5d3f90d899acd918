import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

const DESKTOP = { width: 1280, height: 800 }
const PHONE = { width: 360, height: 740 }

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterAll(() => lab.close())

test('in the demo two people find, call, see and leave each other', async () => {
  const alice = await open(0, '/?user=alice', DESKTOP)
  const bob = await open(1, '/?user=bob', PHONE)
  await press(alice, 'Video call to bob')
  await reads(bob, 'Video call for you')
  await press(bob, 'Video')
  for (const page of [alice, bob]) {
    await reads(page, 'Direct')
    await until(
      'the other one moves',
      () => playingVideos(page),
      (count) => count >= 2,
    )
  }
  expect(await overflows(bob)).toBe(false)
  await press(alice, 'Leave call')
  await reads(alice, 'People')
  await reads(bob, 'People')
  await alice.close()
  await bob.close()
})

test('the demo is used by keyboard alone', async () => {
  const alice = await open(0, '/', DESKTOP)
  await alice.keyboard.type('Alice')
  await alice.keyboard.press('Enter')
  await reads(alice, 'Signed in as')
  const bob = await open(1, '/?user=bob', PHONE)
  await reads(alice, 'bob')
  await tabTo(alice, 'Audio call to bob')
  await alice.keyboard.press('Enter')
  await reads(bob, 'Audio call for you')
  await tabTo(bob, 'Decline')
  await bob.keyboard.press('Enter')
  await reads(alice, 'declined')
  await alice.close()
  await bob.close()
})

test('in the demo a second call waits, is answered, and the first one is taken up again', async () => {
  const alice = await open(0, '/?user=alice', DESKTOP)
  const bob = await open(1, '/?user=bob', PHONE)
  await press(alice, 'Video call to bob')
  await reads(bob, 'Video call for you')
  await press(bob, 'Video')
  await reads(bob, 'Direct')
  const carol = await open(0, '/?user=carol', DESKTOP)
  await press(carol, 'Audio call to bob')
  await reads(bob, 'You are in another call')
  expect(await overflows(bob)).toBe(false)
  await press(bob, 'Hold and answer')
  await reads(bob, 'alice, on hold')
  await reads(alice, 'bob put you on hold')
  expect(await overflows(bob)).toBe(false)
  await press(bob, 'Resume call with alice')
  await reads(bob, 'carol, on hold')
  await press(bob, 'Transfer call')
  await reads(bob, 'Connect them')
  expect(await overflows(bob)).toBe(false)
  expect(await spills(bob)).toEqual([])
  await press(bob, 'Connect them')
  await reads(bob, 'You put')
  await reads(carol, 'alice')
  await press(carol, 'Leave call')
  await reads(alice, 'People')
  for (const page of [alice, bob, carol]) await page.close()
})

async function open(which: 0 | 1, path: string, viewport: { width: number; height: number }) {
  const chosen = lab.browsers[which]
  if (!chosen) throw new Error('the browsers are not there')
  const page = await chosen.browser.newPage()
  await page.setViewport(viewport)
  await page.goto(lab.parley.url + path)
  return page
}

/** Presses what a screen reader would call `name`. */
async function press(page: Page, name: string): Promise<void> {
  await page.locator(`aria/${name}`).click()
}

async function reads(page: Page, text: string): Promise<void> {
  await until(
    `the page shows "${text}"`,
    () => textOf(page),
    (shown) => shown.includes(text),
  )
}

function textOf(page: Page): Promise<string> {
  return page.evaluate(() => document.body.innerText)
}

/** Moves the focus as a person does, and stops at what has the name. */
async function tabTo(page: Page, name: string): Promise<void> {
  await until(
    `the focus reaches "${name}"`,
    async () => {
      await page.keyboard.press('Tab')
      return page.evaluate(() => {
        const focused = document.activeElement
        if (!(focused instanceof HTMLButtonElement)) return ''
        return `${focused.ariaLabel ?? ''} ${focused.textContent}`
      })
    },
    (focused) => focused.includes(name),
  )
}

function playingVideos(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      [...document.querySelectorAll('video')].filter((v) => v.videoWidth > 0 && !v.paused).length,
  )
}

function overflows(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
}

/** What of the open sheet stands in its padding or beyond. */
function spills(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const content = document.querySelector('dialog[open] .content')
    if (!content) return ['there is no sheet']
    const padding = Number.parseFloat(getComputedStyle(content).paddingRight)
    const edge = content.getBoundingClientRect().right - padding
    return [...content.querySelectorAll('button, input')]
      .filter((one) => one.getBoundingClientRect().right > edge + 1)
      .map(({ textContent, tagName }) => textContent || tagName)
  })
}
