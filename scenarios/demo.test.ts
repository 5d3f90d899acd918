import type { Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  closePages,
  focusOf,
  hold,
  openDemo,
  overflows,
  PHONE,
  press,
  pressByKey,
  reads,
  tabTo,
} from './lab/demo-page.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

/** As small as phones are. */
const SMALL_PHONE = { width: 360, height: 740 }

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'chromium'])
})
afterEach(() => closePages(lab))
afterAll(() => lab.close())

test('in the demo two people find, call, see and leave each other', async () => {
  const alice = await openDemo(lab, 0, { path: '/?user=alice' })
  const bob = await openDemo(lab, 1, { path: '/?user=bob', viewport: SMALL_PHONE })
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
})

test('the demo is used by keyboard alone', async () => {
  const alice = await openDemo(lab, 0, { path: '/' })
  await alice.keyboard.type('Alice')
  await alice.keyboard.press('Enter')
  await reads(alice, 'Signed in as')
  const bob = await openDemo(lab, 1, { path: '/?user=bob', viewport: SMALL_PHONE })
  await reads(alice, 'bob')
  await tabTo(alice, 'Audio call to bob')
  await alice.keyboard.press('Enter')
  await reads(bob, 'Audio call for you')
  await tabTo(bob, 'Decline')
  await bob.keyboard.press('Enter')
  await reads(alice, 'declined')
})

test('in the demo a second call waits, is answered, and the first one is taken up again', async () => {
  const alice = await openDemo(lab, 0, { path: '/?user=alice' })
  const bob = await openDemo(lab, 1, { path: '/?user=bob', viewport: SMALL_PHONE })
  await press(alice, 'Video call to bob')
  await reads(bob, 'Video call for you')
  await press(bob, 'Video')
  await reads(bob, 'Direct')
  const carol = await openDemo(lab, 0, { path: '/?user=carol' })
  await press(carol, 'Audio call to bob')
  await reads(bob, 'You are in another call')
  expect(await overflows(bob)).toBe(false)
  await press(bob, 'Hold and answer')
  await reads(bob, 'alice, on hold')
  await reads(alice, 'bob put you on hold')
  expect(await overflows(bob)).toBe(false)
  await press(bob, 'Resume call with alice')
  await reads(bob, 'carol, on hold')
  await press(bob, 'More')
  await press(bob, 'Transfer call')
  await reads(bob, 'Connect them')
  expect(await overflows(bob)).toBe(false)
  expect(await spills(bob)).toEqual([])
  await press(bob, 'Connect them')
  await reads(bob, 'You put')
  await reads(carol, 'alice')
  await press(carol, 'Leave call')
  await reads(alice, 'People')
})

test('in the demo a call is held, moved and given away by keyboard alone', async () => {
  const bob = await openDemo(lab, 1, { path: '/?user=bob' })
  const laptop = await openDemo(lab, 0, { path: '/?user=alice' })
  await reads(laptop, 'Online')
  await pressByKey(laptop, 'Audio call to bob')
  await reads(bob, 'Audio call for you')
  await bob.keyboard.press('Enter')
  for (const page of [laptop, bob]) await reads(page, 'Direct')
  await pressByKey(laptop, 'Hold')
  await reads(bob, 'alice put you on hold')
  await reads(laptop, 'On hold')
  // The focus has stayed where it was.
  await laptop.keyboard.press('Enter')
  await until(
    'alice is back',
    () => textOf(bob),
    (shown) => !shown.includes('on hold'),
  )

  const phone = await openDemo(lab, 1, { path: '/?user=alice', viewport: PHONE })
  await reads(phone, 'Sign out')
  await pressByKey(laptop, 'More')
  await laptop.keyboard.press('Escape')
  expect(await focusOf(laptop)).toBe('More')
  await laptop.keyboard.press('Enter')
  await pressByKey(laptop, 'Move to another device')
  await pressByKey(laptop, 'Move to Chrome on Linux')
  await reads(phone, 'Continue your call on this device')
  await phone.keyboard.press('Enter')
  await reads(laptop, 'The call goes on on your other device')
  await until('the call goes on there', () => textOf(phone), isTimed)
  expect(await overflows(phone)).toBe(false)

  const carol = await openDemo(lab, 0, { path: '/?user=carol' })
  await reads(carol, 'Sign out')
  await pressByKey(phone, 'More')
  await pressByKey(phone, 'Transfer call')
  await pressByKey(phone, 'Transfer to carol')
  await reads(carol, 'put through by alice')
  await carol.keyboard.press('Enter')
  await reads(phone, 'You put bob through')
  await reads(bob, 'carol')
  await press(bob, 'Leave call')
  await reads(carol, 'Join a room')
})

test('in the demo who waits is let in or not, and moderators are made, heard and obeyed', async () => {
  const dora = await openDemo(lab, 0, { path: '/?user=dora&room=council' })
  const erin = await openDemo(lab, 1, { path: '/?user=erin&room=council', viewport: PHONE })
  await press(dora, 'Audio only')
  await press(dora, 'People: 1 in the call')
  await press(dora, 'Lobby: newcomers wait')
  await until('the lobby is open', () => isOn(dora, 'lobby'), Boolean)
  await press(erin, 'Audio only')
  await reads(erin, 'You are waiting to be let in')
  expect(await overflows(erin)).toBe(false)
  await press(dora, 'Admit erin')
  await reads(erin, 'Direct')
  await press(erin, 'People: 2 in the call')
  expect(await textOf(erin)).not.toContain('Lobby')
  await press(dora, 'Make erin a moderator')
  await reads(erin, 'Lobby: newcomers wait')
  expect(await overflows(erin)).toBe(false)
  await press(dora, 'Make erin no moderator')
  await until(
    'erin has no switches',
    () => textOf(erin),
    (shown) => !shown.includes('Lobby'),
  )
  // What changes in her row while the button is held down must not take the press away.
  const rowOfErin = () =>
    dora.$eval('#roster [aria-label="In the call"]', ({ textContent }) => textContent)
  const isMuted = (row: string) => row.includes('Muted')
  await press(erin, 'Microphone')
  await until('dora sees that erin is muted', rowOfErin, isMuted)
  const letGo = await hold(dora, 'Mute erin')
  await press(erin, 'Microphone')
  await until('dora sees that she is not', rowOfErin, (row) => !isMuted(row))
  await letGo()
  await reads(erin, 'dora switched off your microphone')
  await press(dora, 'Allow erin to speak')
  await press(dora, 'Remove erin')
  await reads(erin, 'You were removed from the call')

  const frank = await openDemo(lab, 1, { path: '/?user=frank&room=council', viewport: PHONE })
  await press(frank, 'Audio only')
  await press(dora, 'Deny frank')
  await reads(frank, 'You were not let in')
})

/** How long the call has been going on is shown, in place of why it does not. */
function isTimed(shown: string): boolean {
  return /^\d+:\d\d$/m.test(shown)
}

function textOf(page: Page): Promise<string> {
  return page.evaluate(() => document.body.innerText)
}

function isOn(page: Page, key: string): Promise<boolean> {
  return page.evaluate((wanted) => {
    return document.querySelector<HTMLInputElement>(`[data-key="${wanted}"]`)?.checked ?? false
  }, key)
}

function playingVideos(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      [...document.querySelectorAll('video')].filter((v) => v.videoWidth > 0 && !v.paused).length,
  )
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
