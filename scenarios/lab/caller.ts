import type { Page } from 'puppeteer-core'
import type { ToneBrowser } from './browsers.ts'

/** How long anything that a person waits for may take. Generous: browsers share two cores here. */
const PATIENCE_MS = 45_000

/** How often a condition is looked at. */
const LOOK_EVERY_MS = 150

/** An analyser's bin is 3 Hz wide; a tone lands within two of them. */
const TONE_TOLERANCE_HZ = 8

/** What a page sees of its call. */
export interface Sight {
  readonly state: string
  readonly path: string | undefined
  readonly endReason: string | undefined
  readonly encrypted: boolean
  readonly log: readonly string[]
  readonly others: readonly {
    readonly user: string
    readonly tracks: readonly {
      readonly kind: string
      readonly source: string
      readonly frames: number
      readonly hz: number
    }[]
  }[]
}

interface Lab {
  connect(spec: { url: string; user: string; options: object }): Promise<void>
  call(users: string | readonly string[]): Promise<void>
  join(room: string): Promise<void>
  isRinging(): boolean
  accept(): Promise<void>
  decline(): Promise<void>
  hangup(): Promise<void>
  invite(user: string): Promise<void>
  setMicrophone(on: boolean): Promise<void>
  setCamera(on: boolean): Promise<void>
  look(): Sight
}

type LabVerb = Exclude<keyof Lab, 'look'>

/** A person at a browser page that embeds the SDK. */
export class Caller {
  readonly user: string
  readonly toneHz: number
  readonly #page: Page

  private constructor(user: string, toneHz: number, page: Page) {
    this.user = user
    this.toneHz = toneHz
    this.#page = page
  }

  /** Opens the page and connects. `options` go to `CallClient`. */
  static async arrive(
    { browser, toneHz }: ToneBrowser,
    spec: { user: string; pageUrl: string; parleyUrl: string; options?: object },
  ): Promise<Caller> {
    const page = await browser.newPage()
    await page.goto(spec.pageUrl)
    await page.waitForFunction(() => 'lab' in globalThis)
    const caller = new Caller(spec.user, toneHz, page)
    await caller.do('connect', {
      url: spec.parleyUrl,
      user: spec.user,
      options: spec.options ?? {},
    })
    return caller
  }

  /** Uses the page's `lab`. */
  async do<Verb extends LabVerb>(verb: Verb, ...args: Parameters<Lab[Verb]>): Promise<void> {
    await this.#page.evaluate(
      async (name: string, values: unknown[]) => {
        const { lab } = globalThis as unknown as {
          lab: Record<string, (...v: unknown[]) => unknown>
        }
        await lab[name]?.(...values)
      },
      verb,
      args as unknown[],
    )
  }

  look(): Promise<Sight> {
    return this.#page.evaluate(() => (globalThis as unknown as { lab: Lab }).lab.look())
  }

  /** Waits until the page sees what `test` accepts; fails with what it saw last. */
  async sees(what: string, test: (sight: Sight) => boolean): Promise<Sight> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const sight = await this.look()
      if (test(sight)) return sight
      if (Date.now() > deadline) {
        throw new Error(`${this.user} never sees ${what}; sees ${JSON.stringify(sight, null, 1)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }

  async isRung(): Promise<void> {
    await this.#page.waitForFunction(
      () => (globalThis as unknown as { lab: Lab }).lab.isRinging(),
      { timeout: PATIENCE_MS, polling: LOOK_EVERY_MS },
    )
  }

  async screenshot(path: `${string}.png`): Promise<void> {
    await this.#page.screenshot({ path })
  }

  close(): Promise<void> {
    return this.#page.close()
  }
}

/** The video of each of `others` is being decoded now: its frames rise. */
export async function watches(viewer: Caller, others: readonly Caller[]): Promise<void> {
  const before = await viewer.look()
  await viewer.sees(`moving pictures of ${others.map(({ user }) => user).join()}`, (now) =>
    others.every(({ user }) => framesOf(now, user) > framesOf(before, user)),
  )
}

/** The tone of each of `others` is heard now. */
export async function hears(listener: Caller, others: readonly Caller[]): Promise<void> {
  await listener.sees(`tones of ${others.map((o) => `${o.user} (${o.toneHz} Hz)`).join()}`, (now) =>
    others.every(({ user, toneHz }) => Math.abs(hertzOf(now, user) - toneHz) < TONE_TOLERANCE_HZ),
  )
}

function framesOf({ others }: Sight, user: string): number {
  const tracks = others.filter((o) => o.user === user).flatMap((o) => o.tracks)
  return tracks.find(({ source }) => source === 'camera')?.frames ?? 0
}

function hertzOf({ others }: Sight, user: string): number {
  const tracks = others.filter((o) => o.user === user).flatMap((o) => o.tracks)
  return tracks.find(({ source }) => source === 'microphone')?.hz ?? 0
}
