import type { Page } from 'puppeteer-core'
import type { ToneBrowser } from './browsers.ts'
import { LOOK_EVERY_MS, PATIENCE_MS, until } from './patience.ts'

/** The page listens at every fifth Hertz, and recorders resample a little. */
const TONE_TOLERANCE_HZ = 10

/** A picture made small: red, green and blue of each of its points, 0 to 255. */
export type Picture = readonly number[]

/** How much of a video flows, and why not more. */
export interface LayerSight {
  readonly layer: number | null
  readonly reason: string
}

/** What a page sees of its call. */
export interface Sight {
  readonly state: string
  readonly path: string | undefined
  readonly endReason: string | undefined
  /** What is being done to get media back. */
  readonly reconnecting?: string
  /** The same, all that there has been so far. */
  readonly rungs: readonly string[]
  readonly encrypted: boolean
  /** What people in the call compare. */
  readonly verification?: string
  /** One's own participant id. */
  readonly self?: string
  /** Epochs whose keys are in place, where the story gives them out. */
  readonly epochs: readonly number[]
  /** The page itself holds the call. */
  readonly onHold?: boolean
  /** Who waits to be let in, as moderators see it. */
  readonly lobby?: readonly string[]
  /** Ids of all calls of the page that have not ended. */
  readonly openCalls: readonly string[]
  /** Who speaks, as the page is told; `me` is its own user. */
  readonly speaker?: string
  /** What the others take of one's own camera. */
  readonly demand?: LayerSight
  readonly log: readonly string[]
  readonly others: readonly {
    readonly user: string
    readonly device: string
    readonly onHold: boolean
    /** What is thought of who he is. */
    readonly identity?: string
    readonly tracks: readonly {
      readonly kind: string
      readonly source: string
      readonly frames: number
      readonly layer?: LayerSight
    }[]
  }[]
}

/** How a call's media and connection go, over time. */
export interface Pulse {
  readonly state: string
  readonly connection: string
  /** When the connection to the server was made last, ms since the epoch. */
  readonly connectedAt: number
  /** Pictures of each other person: how long none has come, and the longest time so far. */
  readonly gaps: readonly {
    readonly user: string
    readonly sinceMs: number
    readonly longestMs: number
  }[]
}

/** What has become of the frames that have come to a page over all its connections. */
export interface Taken {
  readonly pictures: number
  /** When frames of any kind were found opened for the last time, ms since the epoch. */
  readonly lastOpenedAt: number
  /** Frames that came, of keys that the page does not have. */
  readonly ofUnknownKeys: number
}

interface Lab {
  connect(spec: { url: string; user: string; options: object }): Promise<void>
  call(users: string | readonly string[], payload?: string): Promise<void>
  callAfter(user: string, ms: number): Promise<void>
  join(room: string, media?: { audio: boolean; video: boolean }): Promise<void>
  isRinging(): boolean
  isWaiting(): boolean
  accept(others?: 'hold' | 'end'): Promise<void>
  turnTo(user: string): void
  hold(): Promise<void>
  resume(): Promise<void>
  transfer(user: string): Promise<void>
  transferTo(user: string): Promise<void>
  takeOver(): Promise<void>
  move(device: string): Promise<void>
  decline(): Promise<void>
  hangup(): Promise<void>
  send(text: string): Promise<void>
  invite(user: string): Promise<void>
  setLobby(on: boolean): Promise<void>
  admit(user: string): Promise<void>
  lock(): Promise<void>
  silence(user: string): Promise<void>
  allow(user: string): Promise<void>
  remove(user: string): Promise<void>
  setMicrophone(on: boolean): Promise<void>
  setCamera(on: boolean): Promise<void>
  show(user: string, width: number): void
  loseTransforms(): void
  forgetScriptTransforms(): void
  ignoreModerators(): void
  hangOn(): void
  taken(): Promise<Taken>
  opened(participant: string, frames: readonly string[]): Promise<number>
  beginEpoch(epoch: object): Promise<void>
  allReady(epoch: number): void
  startGaps(): void
  pulse(): Pulse
  sent(): Promise<number>
  concealedMs(user: string): Promise<number>
  decode(mimeType: string, frames: readonly string[]): Promise<Picture | undefined>
  ownPictures(): Promise<Picture[]>
  look(): Sight
  listen(): Promise<Readonly<Record<string, number>>>
}

/** What can be done to a browser. */
export type Trick = 'loseTransforms' | 'forgetScriptTransforms' | 'hangOn' | 'ignoreModerators'

type LabVerb = Exclude<
  keyof Lab,
  | 'taken'
  | 'opened'
  | 'concealedMs'
  | 'look'
  | 'listen'
  | 'isRinging'
  | 'isWaiting'
  | 'pulse'
  | 'decode'
  | 'ownPictures'
  | 'sent'
>

/** A person at a browser page that embeds the SDK. */
export class Caller {
  readonly user: string
  readonly toneHz: number
  readonly #page: Page
  readonly #spec: Parameters<Lab['connect']>[0]

  private constructor(spec: Parameters<Lab['connect']>[0], toneHz: number, page: Page) {
    this.user = spec.user
    this.#spec = spec
    this.toneHz = toneHz
    this.#page = page
  }

  /** Opens the page and connects. `options` go to `CallClient`; `before`: what is done first. */
  static async arrive(
    { browser, toneHz }: ToneBrowser,
    spec: { user: string; pageUrl: string; parleyUrl: string; options?: object; before?: Trick },
  ): Promise<Caller> {
    const page = await browser.newPage()
    await page.goto(spec.pageUrl)
    const { user, parleyUrl: url, options = {} } = spec
    const caller = new Caller({ user, url, options }, toneHz, page)
    await caller.#connect(spec.before)
    return caller
  }

  /** Duplicates the tab, with all that it has stored, and connects there. */
  async copyTab(): Promise<Caller> {
    const browser = this.#page.browser()
    const opened = new Promise<Page | null>((resolve) => {
      browser.once('targetcreated', (target) => resolve(target.page()))
    })
    // A page that is opened by another one begins with a copy of its session storage.
    await this.#page.evaluate(() => void globalThis.open(globalThis.location.href))
    const page = await opened
    if (!page) throw new Error('no tab was opened')
    const copy = new Caller(this.#spec, this.toneHz, page)
    await copy.#connect()
    return copy
  }

  /** Loads the page again, as its user would, and connects. */
  async reload(): Promise<void> {
    await this.#page.reload()
    await this.#connect()
  }

  async #connect(before?: Trick): Promise<void> {
    await this.#page.waitForFunction(() => 'lab' in globalThis)
    if (before) await this.do(before)
    await this.do('connect', this.#spec)
  }

  /** Uses the page's `lab`. */
  async do<Verb extends LabVerb>(verb: Verb, ...args: Parameters<Lab[Verb]>): Promise<void> {
    await this.#ask(verb, ...args)
  }

  look(): Promise<Sight> {
    return this.#ask('look')
  }

  pulse(): Promise<Pulse> {
    return this.#ask('pulse')
  }

  /** What the browser's decoder shows last of these frames, in base64; undefined for nothing. */
  async decode(mimeType: string, frames: readonly string[]): Promise<Picture | undefined> {
    return (await this.#ask('decode', mimeType, frames)) ?? undefined
  }

  /** What comes to a page that hangs on, whatever the SDK thinks. */
  taken(): Promise<Taken> {
    return this.#ask('taken')
  }

  /** How many of these sealed frames of somebody's camera a page that hangs on can open. */
  opened(participant: string, frames: readonly Uint8Array[]): Promise<number> {
    const sealed = frames.map((frame) => Buffer.from(frame).toString('base64'))
    return this.#ask('opened', participant, sealed)
  }

  /** Packets of media that have left the browser. */
  sent(): Promise<number> {
    return this.#ask('sent')
  }

  /** How much of somebody's sound had to be made up so far. */
  concealedMs(user: string): Promise<number> {
    return this.#ask('concealedMs', user)
  }

  /** What the camera shows for a moment. */
  ownPictures(): Promise<Picture[]> {
    return this.#ask('ownPictures')
  }

  /** Waits until the page is connected to the server. */
  async isConnected(): Promise<void> {
    await until(
      `${this.user} is connected`,
      () => this.pulse(),
      ({ connection }) => connection === 'connected',
    )
  }

  /** The loudest frequency of each other person, now. */
  listen(): Promise<Readonly<Record<string, number>>> {
    return this.#ask('listen')
  }

  /** Waits until the page sees what `test` accepts; fails with what it saw last. */
  sees(what: string, test: (sight: Sight) => boolean): Promise<Sight> {
    return until(`${this.user} sees ${what}`, () => this.look(), test)
  }

  async isRung(): Promise<void> {
    await this.#page.waitForFunction(
      () => (globalThis as unknown as { lab: Lab }).lab.isRinging(),
      { timeout: PATIENCE_MS, polling: LOOK_EVERY_MS },
    )
  }

  /** Waits for a call that rings while another one goes on. */
  async hasOneWaiting(): Promise<void> {
    await this.#page.waitForFunction(
      () => (globalThis as unknown as { lab: Lab }).lab.isWaiting(),
      { timeout: PATIENCE_MS, polling: LOOK_EVERY_MS },
    )
  }

  async screenshot(path: `${string}.png`): Promise<void> {
    await this.#page.screenshot({ path })
  }

  close(): Promise<void> {
    return this.#page.close()
  }

  /**
   * An answer comes by itself: if memory is cleared up while it waits behind all that the SDK does at
   * the end of a verb, Chromium's debugger says "Promise was collected" in its place.
   */
  #ask<Verb extends keyof Lab>(
    verb: Verb,
    ...args: Parameters<Lab[Verb]>
  ): Promise<Awaited<ReturnType<Lab[Verb]>>> {
    const ask = async (name: string, values: unknown[]) => {
      const { lab } = globalThis as unknown as {
        lab: Record<string, (...v: unknown[]) => unknown>
      }
      try {
        return await lab[name]?.(...values)
      } finally {
        await new Promise((resolve) => setTimeout(resolve))
      }
    }
    // The page answers what its `lab` does.
    return this.#page.evaluate(ask, verb, args) as Promise<Awaited<ReturnType<Lab[Verb]>>>
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
  const tones = others.map(({ user, toneHz }) => `${user} (${toneHz} Hz)`).join()
  await until(
    `${listener.user} hears ${tones}`,
    () => listener.listen(),
    (heard) =>
      others.every(({ user, toneHz }) => Math.abs((heard[user] ?? 0) - toneHz) < TONE_TOLERANCE_HZ),
  )
}

/** Nothing of `other` is heard now: no track of his, or silence on it. */
export async function hearsNothingOf(listener: Caller, other: Caller): Promise<void> {
  await until(
    `${listener.user} hears nothing of ${other.user}`,
    () => listener.listen(),
    (heard) => (heard[other.user] ?? 0) === 0,
  )
}

function framesOf({ others }: Sight, user: string): number {
  const tracks = others.filter((o) => o.user === user).flatMap((o) => o.tracks)
  return tracks.find(({ source }) => source === 'camera')?.frames ?? 0
}
