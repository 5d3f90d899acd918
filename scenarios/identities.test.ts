import type { Call } from '@parley/client-sdk'
import type { Page } from 'puppeteer-core'
import { decodeQR } from 'qr/decode.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PHONE, reads, textOf } from './lab/demo-page.ts'
import type { Viewport } from './lab/demo-page.ts'
import { openLab } from './lab/lab.ts'
import type { Lab } from './lab/lab.ts'
import { until } from './lab/patience.ts'

/** What the demo leaves for the console. */
declare global {
  interface Window {
    parley: { call: Call | undefined }
  }
}

const CHROMIUM = 0
const FIREFOX = 1
/** Pictures of one's own camera: by then any of the other side would have come. */
const A_WHILE_FRAMES = 40
const LONG = { timeout: 240_000 }

let lab: Lab

beforeAll(async () => {
  lab = await openLab(['chromium', 'firefox'])
})
afterAll(() => lab.close())

test(
  'in the demo two people verify each other, and see when one of them is somebody else',
  LONG,
  async () => {
    const bob = await open(CHROMIUM, 'bob', PHONE)
    const alice = await open(FIREFOX, 'alice')
    await call(alice, bob)
    for (const page of [alice, bob]) {
      await reads(page, 'End-to-end encrypted')
      await seesBoth(page)
      await press(page, 'Security: End-to-end encrypted. Show details')
      await reads(page, 'Call code')
    }
    expect(await codeIn(alice, '#security')).toBe(await codeIn(bob, '#security'))
    await pressByKey(bob, 'Verify: alice')
    await press(alice, 'Verify: bob')
    for (const page of [alice, bob]) await reads(page, 'Mark as verified')
    const number = await codeIn(bob, 'dialog')
    expect(number).toMatch(/^(\d{5} ){8}\d{5}$/)
    expect(await codeIn(alice, 'dialog')).toBe(number)
    expect(await readQrCode(bob)).toBe(`PARLEY:PAIR:${number.replaceAll(' ', '')}`)
    for (const page of [alice, bob]) expect(await spills(page)).toEqual([])
    // One digit is wrong, and then none is.
    await type(
      bob,
      number.replace(/\d$/, (digit) => (digit === '0' ? '1' : '0')),
    )
    await reads(bob, 'They are not the same')
    expect(await isOffered(bob, 'Mark as verified')).toBe(false)
    await type(bob, number)
    await reads(bob, 'They are the same')
    await press(bob, 'Mark as verified')
    await reads(bob, 'Verified by you')
    // Who uses the keyboard goes on where he was.
    await until(
      'the focus is back',
      () => bob.evaluate(() => document.activeElement?.ariaLabel),
      (focused) => focused === 'Compare again: alice',
    )
    await press(alice, 'Close')
    await press(alice, 'Leave call')
    for (const page of [alice, bob]) await reads(page, 'Sign out')

    // The same name in a browser that knows nothing of the first one, as after its storage was cleared.
    const other = await open(FIREFOX, 'alice')
    await call(other, bob)
    await reads(bob, 'Is this really alice?')
    await reads(bob, 'Held back')
    expect(await spills(bob)).toEqual([])
    const before = await received(bob)
    await passes(bob, A_WHILE_FRAMES)
    for (const page of [other, bob]) {
      expect(await playingOthers(page)).toBe(0)
      expect(await isEncrypted(page)).toBe(false)
    }
    expect(await received(bob)).toBe(before)
    await press(bob, 'Accept without comparing')
    for (const page of [other, bob]) {
      await reads(page, 'End-to-end encrypted')
      await seesBoth(page)
    }
    expect(await textOf(bob)).not.toContain('Is this really alice?')
    await press(bob, 'Security: End-to-end encrypted. Show details')
    await reads(bob, 'not verified')
    await press(bob, 'Verify: alice')
    await reads(bob, 'Mark as verified')
    // What was verified was the other one's number.
    expect(await codeIn(bob, 'dialog')).not.toBe(number)

    // It was Alice after all: her first browser says so.
    await press(other, 'Leave call')
    await reads(other, 'another device of yours approves it')
    await reads(alice, 'says that it is yours')
    expect(await codeIn(alice, '.approvals')).toBe(await codeIn(other, '.approvals'))
    await press(alice, 'The same: approve')
    await reads(alice, 'since')
    await until(
      'the new browser is approved',
      () => textOf(other),
      (shown) => !shown.includes('another device of yours approves it'),
    )
  },
)

async function open(browser: number, user: string, viewport?: Viewport): Promise<Page> {
  const context = await lab.browsers[browser]?.browser.createBrowserContext()
  const page = await context?.newPage()
  if (!page) throw new Error('the browsers are not there')
  // Firefox keeps the size of its window: it is not told another one.
  if (viewport) await page.setViewport(viewport)
  await page.goto(`${lab.parley.url}/?user=${user}&encryption=required`)
  await reads(page, 'Sign out')
  return page
}

/** Alice’s page rings Bob’s, which answers. */
async function call(alice: Page, bob: Page): Promise<void> {
  await reads(alice, 'bob')
  await press(alice, 'Video call to bob')
  await reads(bob, 'Video call for you')
  await press(bob, 'Video')
}

/**
 * Presses the button of this name, wherever a layout that still moves puts it. The page itself looks for it:
 * a page with a call in it stands still for up to 40 s while Firefox's driver looks for an accessible name,
 * and a page that says nothing for that long has lost its seat.
 */
async function press(page: Page, name: string): Promise<void> {
  await until(
    `"${name}" is pressed`,
    () =>
      page.evaluate((wanted) => {
        const button = [...document.querySelectorAll('button')].find(
          (one) => (one.ariaLabel ?? one.textContent).trim() === wanted && one.checkVisibility(),
        )
        button?.click()
        return { isPressed: button !== undefined, shown: document.body.innerText }
      }, name),
    ({ isPressed }) => isPressed,
  )
}

/** Moves the focus there, and presses Enter. */
async function pressByKey(page: Page, name: string): Promise<void> {
  await page.focus(`aria/${name}[role="button"]`)
  await page.keyboard.press('Enter')
}

async function type(page: Page, text: string): Promise<void> {
  await page.$eval('#theirs', (input) => ((input as HTMLInputElement).value = ''))
  await page.type('#theirs', text)
}

function codeIn(page: Page, where: string): Promise<string> {
  return page.$eval(`${where} .code`, (code) => code.getAttribute('data-code') ?? '')
}

/** What a camera before the screen would read. */
async function readQrCode(page: Page): Promise<string> {
  const picture = await page.$eval('dialog .qr', async (svg) => {
    const side = 400
    const image = new Image(side, side)
    const copy = svg.cloneNode(true) as Element
    copy.setAttribute('width', String(side))
    copy.setAttribute('height', String(side))
    const text = new XMLSerializer().serializeToString(copy)
    image.src = `data:image/svg+xml,${encodeURIComponent(text)}`
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = side
    const context = canvas.getContext('2d')
    context?.drawImage(image, 0, 0, side, side)
    const data = context?.getImageData(0, 0, side, side).data ?? []
    return { width: side, height: side, data: [...data] }
  })
  return decodeQR({ ...picture, data: Uint8ClampedArray.from(picture.data) })
}

/** Waits until one’s own picture and the other side’s move. */
async function seesBoth(page: Page): Promise<void> {
  await until(
    'the other one moves',
    () => playingOthers(page),
    (count) => count === 1,
  )
}

function playingOthers(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      [...document.querySelectorAll<HTMLVideoElement>('.tile:not(.self) video')].filter(
        (video) => video.videoWidth > 0 && !video.paused,
      ).length,
  )
}

/** Frames and packets that have come from others. */
function received(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { inbound = [] } = (await window.parley.call?.stats()) ?? {}
    return inbound.reduce((sum, { packets }) => sum + packets, 0)
  })
}

function isEncrypted(page: Page): Promise<boolean> {
  return page.evaluate(() => window.parley.call?.encrypted ?? false)
}

/** Lets the page's own camera show this many more pictures. */
async function passes(page: Page, frames: number): Promise<void> {
  const shown = () =>
    page.$eval('.tile.self video', (video) => {
      return video.getVideoPlaybackQuality().totalVideoFrames
    })
  const before = await shown()
  await until('time passes', shown, (count) => count > before + frames)
}

async function isOffered(page: Page, name: string): Promise<boolean> {
  const found = await page.$(`aria/${name}`)
  return (await found?.isVisible()) ?? false
}

/** What of the page, or of the open sheet, stands out of it at the side; a page with a call does not scroll. */
function spills(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const inside = document.querySelector('dialog[open] .content') ?? document.body
    const edge = Math.min(inside.getBoundingClientRect().right, window.innerWidth)
    const { scrollHeight, clientHeight } = document.documentElement
    return [
      ...[...inside.querySelectorAll('button, input, .qr, .code, .alarm')]
        .filter((one) => one.getBoundingClientRect().right > edge + 1)
        .map(({ textContent, tagName }) => textContent || tagName),
      ...(scrollHeight > clientHeight ? ['the end of the page'] : []),
    ]
  })
}
