import { launchChromium, launchFirefox } from './browsers.ts'
import type { ToneBrowser } from './browsers.ts'
import type { Certificate } from './certificate.ts'
import { Caller } from './caller.ts'
import type { Trick } from './caller.ts'
import { servePage } from './page-server.ts'
import { ParleyProcess } from './parley-process.ts'

/** The whole stack, a page that embeds its SDK, and browsers to open it in. */
export interface Lab {
  readonly parley: ParleyProcess
  /** Browsers in the order in which they were asked for; each has a tone of its own. */
  readonly browsers: readonly ToneBrowser[]
  /** Opens the page in one of the browsers and connects. `options` go to `CallClient`. */
  arrive(browser: number, user: string, options?: object, page?: PageKind): Promise<Caller>
  close(): Promise<void>
}

/** `strict`: its policy allows no workers but from its own address. `before`: see {@link Trick}. */
export interface PageKind {
  readonly strict?: boolean
  readonly before?: Trick
}

const launchers = { chromium: launchChromium, firefox: launchFirefox }

/** A tone that the first browser's microphone hears, and how much higher each next one is. */
const FIRST_TONE_HZ = 440
const TONE_STEP_HZ = 220

/**
 * Starts all of it. `env` goes to the stack; the browsers trust `certificate`; `tap`: see `sfu-tap.ts`; `leaky`: `leaky-node.ts`.
 */
export async function openLab(
  kinds: readonly (keyof typeof launchers)[],
  {
    env = {},
    certificate,
    tap = false,
    leaky = false,
  }: {
    env?: Readonly<Record<string, string>>
    certificate?: Certificate | undefined
    tap?: boolean
    leaky?: boolean
  } = {},
): Promise<Lab> {
  const parley = await ParleyProcess.start(env, { tap, leaky })
  const page = await servePage()
  const browsers: ToneBrowser[] = []
  for (const [index, kind] of kinds.entries()) {
    browsers.push(
      await launchers[kind](FIRST_TONE_HZ + index * TONE_STEP_HZ, { trusted: certificate }),
    )
  }
  return {
    parley,
    browsers,
    arrive(index, user, options = {}, { strict = false, before } = {}) {
      const browser = browsers[index]
      if (!browser) throw new Error(`the lab has no browser ${index}`)
      const pageUrl = strict ? `${page.url}/strict` : page.url
      const common = { user, pageUrl, parleyUrl: parley.url, options }
      return Caller.arrive(browser, before ? { ...common, before } : common)
    },
    async close() {
      for (const { browser } of browsers) await browser.close()
      page.close()
      await parley.stop()
    },
  }
}

/** Everybody but one. */
export function without(people: readonly Caller[], one: Caller): Caller[] {
  return people.filter((other) => other !== one)
}
