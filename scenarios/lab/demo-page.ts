import type { Page } from 'puppeteer-core'
import type { Lab } from './lab.ts'
import { until } from './patience.ts'

/** How large a page is. */
export interface Viewport {
  readonly width: number
  readonly height: number
}

export const DESKTOP: Viewport = { width: 1280, height: 800 }
export const PHONE: Viewport = { width: 390, height: 844 }

/** Opens the demo in one of the lab's browsers. */
export async function openDemo(
  { browsers, parley }: Lab,
  which: number,
  { path, viewport = DESKTOP }: { readonly path: string; readonly viewport?: Viewport },
): Promise<Page> {
  const chosen = browsers[which]
  if (!chosen) throw new Error(`the lab has no browser ${which}`)
  const page = await chosen.browser.newPage()
  await page.setViewport(viewport)
  await page.goto(parley.url + path)
  return page
}

/** Ends what a story has opened; a story that failed leaves nothing to the next one. */
export async function closePages({ browsers }: Lab): Promise<void> {
  for (const { browser } of browsers) {
    // The first one is the browser's own: without any it would end.
    for (const page of (await browser.pages()).slice(1)) await page.close()
  }
}

/** Presses what a screen reader would call `name`. */
export async function press(page: Page, name: string): Promise<void> {
  // What stands in a tab behind another one is not drawn, and so cannot be aimed at.
  await page.bringToFront()
  await page.locator(`aria/${name}`).click()
}

/** Presses what would be called `name` and holds it down; what is returned lets it go, where it was. */
export async function hold(page: Page, name: string): Promise<() => Promise<void>> {
  await page.bringToFront()
  await page.locator(`aria/${name}`).hover()
  await page.mouse.down()
  return () => page.mouse.up()
}

export async function type(page: Page, label: string, text: string): Promise<void> {
  await page.bringToFront()
  await page.locator(`aria/${label}[role="textbox"]`).fill(text)
}

export function textOf(page: Page): Promise<string> {
  return page.evaluate(() => document.body.innerText)
}

export async function reads(page: Page, text: string): Promise<void> {
  await until(
    `the page shows "${text}"`,
    () => textOf(page),
    (shown) => shown.includes(text),
  )
}

/** Moves the focus as a person does, and stops at the button that has the name. */
export async function tabTo(page: Page, name: string): Promise<void> {
  await page.bringToFront()
  await until(
    `the focus reaches "${name}"`,
    async () => {
      await page.keyboard.press('Tab')
      return focusOf(page)
    },
    (focused) => focused.includes(name),
  )
}

/** Goes to a button by keyboard alone, where its focus has to be seen, and presses it. */
export async function pressByKey(page: Page, name: string): Promise<void> {
  await tabTo(page, name)
  const outline = await page.evaluate(() => {
    return document.activeElement && getComputedStyle(document.activeElement).boxShadow
  })
  if (outline === null || outline === 'none')
    throw new Error(`nothing shows the focus on "${name}"`)
  await page.keyboard.press('Enter')
}

/** What a screen reader would say of the button that has the focus; nothing of anything else. */
export function focusOf(page: Page): Promise<string> {
  return page.evaluate(() => {
    const focused = document.activeElement
    if (!(focused instanceof HTMLButtonElement)) return ''
    return focused.ariaLabel ?? focused.textContent
  })
}

/** Whether something stands beyond the right edge. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  )
}
