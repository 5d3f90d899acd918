import { mkdtempSync } from 'node:fs'
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

/** Debian's Chromium. */
export async function launchChromium(toneHz: number, trusted?: Certificate): Promise<ToneBrowser> {
  const home = mkdtempSync(join(tmpdir(), 'parley-chromium-'))
  if (trusted) trust(trusted, join(home, '.pki', 'nssdb'))
  const browser = await puppeteer.launch({
    executablePath: '/usr/bin/chromium',
    headless: true,
    userDataDir: join(home, 'profile'),
    env: { ...process.env, HOME: home },
    args: [
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${writeTone(toneHz)}`,
      '--autoplay-policy=no-user-gesture-required',
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

/** Debian's Firefox. */
export async function launchFirefox(toneHz: number, trusted?: Certificate): Promise<ToneBrowser> {
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
