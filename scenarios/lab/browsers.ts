import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import type { Browser } from 'puppeteer-core'
import { trust } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { writeTone } from './tone.ts'

/** A real browser whose microphone hears a steady tone and whose camera shows a test picture. */
export interface ToneBrowser {
  readonly browser: Browser
  readonly toneHz: number
}

const CHROMIUM = '/usr/bin/chromium'

/** What a browser may be given besides its tone. */
export interface LaunchOptions {
  readonly trusted?: Certificate | undefined
  /** Network namespace to run in. */
  readonly namespace?: string
  /** An origin without TLS that may use the camera all the same. */
  readonly secureOrigin?: string
}

/** Debian's Chromium. */
export async function launchChromium(
  toneHz: number,
  { trusted, namespace, secureOrigin }: LaunchOptions = {},
): Promise<ToneBrowser> {
  const home = mkdtempSync(join(tmpdir(), 'parley-chromium-'))
  if (trusted) trust(trusted, join(home, '.pki', 'nssdb'))
  const browser = await puppeteer.launch({
    executablePath: namespace === undefined ? CHROMIUM : enter(namespace, home),
    headless: true,
    // A port of the namespace's loopback could not be reached from here.
    pipe: namespace !== undefined,
    userDataDir: join(home, 'profile'),
    env: { ...process.env, HOME: home },
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${writeTone(toneHz)}`,
      '--autoplay-policy=no-user-gesture-required',
      ...(secureOrigin === undefined
        ? []
        : [`--unsafely-treat-insecure-origin-as-secure=${secureOrigin}`]),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
    ],
  })
  return { browser, toneHz }
}

/** A command that starts Chromium in a network namespace. */
function enter(namespace: string, folder: string): string {
  const command = join(folder, 'chromium')
  writeFileSync(command, `#!/bin/sh\nexec ip netns exec ${namespace} ${CHROMIUM} "$@"\n`)
  chmodSync(command, 0o755)
  return command
}

/** Debian's Firefox. */
export async function launchFirefox(
  toneHz: number,
  { trusted }: LaunchOptions = {},
): Promise<ToneBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'parley-firefox-'))
  if (trusted) trust(trusted, profile)
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    userDataDir: profile,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.navigator.audio.fake_frequency': toneHz,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  })
  return { browser, toneHz }
}
