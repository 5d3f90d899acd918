import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { keepLog } from './cache.mjs'
import { SetupFailure } from './failure.mjs'
import { readManifest } from './manifest.mjs'
import { installedNode } from './node.mjs'
import { runNpm } from './npm.mjs'
import { hashOf, readStamp, writeStamp } from './stamp.mjs'

/** @typedef {import('./context.mjs').Context} Context */

/** Everything that the browser's files are made from. */
const SOURCES = [
  'client-sdk/src',
  'client-sdk/demo',
  'client-sdk/public',
  'client-sdk/index.html',
  'client-sdk/vite.config.ts',
  'client-sdk/vite.config.js',
  'client-sdk/vite.config.mjs',
  'client-sdk/package.json',
  'protocol/src',
  'package-lock.json',
]

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
    readStamp(stampFile(context)) === hashOf(context.root, SOURCES)
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
  const stamp = hashOf(context.root, SOURCES)
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

/** @param {Context} context */
function hasBuild({ root }) {
  return readManifest(join(root, 'client-sdk/package.json')).scripts?.['build'] !== undefined
}

/** @param {string} output */
function tail(output) {
  const lines = output.split('\n').filter((line) => line.trim() && !line.startsWith('npm error'))
  return lines.slice(-25).map((line) => `  ${line}`)
}
