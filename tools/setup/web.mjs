import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { keepLog } from './cache.mjs'
import { SetupFailure } from './failure.mjs'
import { readManifest } from './manifest.mjs'
import { installedNode } from './node.mjs'
import { runNpm } from './npm.mjs'
import { hashOf, readStamp, writeStamp } from './stamp.mjs'

/** @typedef {import('./context.mjs').Context} Context */

/** What lies in the SDK's folder without shaping the build. */
const NOT_SOURCES = ['dist', 'node_modules', 'README.md', 'API.md', 'CHANGELOG.md']

/** @param {Context} context */
const stampFile = ({ root }) => join(root, 'node_modules/.parley/web.json')

/**
 * Whether the browser's files are there and made from the present sources.
 * @param {Context} context
 */
export function webReady(context) {
  if (!hasBuild(context)) return true
  return (
    existsSync(join(context.root, 'client-sdk/dist')) &&
    readStamp(stampFile(context)) === wantedStamp(context)
  )
}

/**
 * Builds the SDK and the demo for the browser.
 * @param {Context} context
 */
export async function buildWeb(context) {
  if (webReady(context)) return
  const step = context.terminal.begin('Building the browser SDK and the demo')
  // Taken before the build: a file that changes during it makes the next run build again.
  const stamp = wantedStamp(context)
  const args = ['run', 'build', '--workspace', '@parley/client-sdk']
  const { code, output } = await runNpm(context, installedNode(context), args)
  if (code !== 0) {
    step.abandon()
    const log = keepLog(context.cache, 'web', output)
    throw new SetupFailure('The browser SDK does not build', {
      advice: tail(output),
      ...(log ? { log } : {}),
    })
  }
  writeStamp(stampFile(context), stamp)
  step.finish('Built the browser SDK and the demo')
}

/**
 * A hash of everything that the browser's files are made from.
 * @param {Context} context
 */
function wantedStamp({ root }) {
  const sources = readdirSync(join(root, 'client-sdk'))
    .filter((name) => !NOT_SOURCES.includes(name))
    .map((name) => join('client-sdk', name))
  return hashOf(root, [...sources, 'protocol/src', 'package-lock.json'])
}

/** @param {Context} context */
function hasBuild({ root }) {
  return readManifest(join(root, 'client-sdk/package.json')).scripts?.['build'] !== undefined
}

/** @param {string} output */
function tail(output) {
  const lines = output.split('\n').filter((line) => line.trim() && !line.startsWith('npm error'))
  return lines.slice(-25).map((line) => `  ${line}`)
}
