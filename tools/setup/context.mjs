import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { cacheFolder } from './cache.mjs'
import { SetupFailure } from './failure.mjs'
import { readManifest } from './manifest.mjs'
import { Terminal } from './terminal.mjs'

/**
 * @typedef {object} Context What every step works with.
 * @property {string} root The checkout.
 * @property {string} cache The folder for work that outlives the checkout.
 * @property {NodeJS.ProcessEnv} env
 * @property {boolean} isRoot
 * @property {Terminal} terminal
 * @property {string} nodeVersion The Node that the project runs on, pinned in package.json.
 */

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Context}
 */
export function contextFrom(env) {
  const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
  const nodeVersion = readManifest(join(root, 'package.json')).dependencies?.['node']
  if (!nodeVersion) throw new SetupFailure('package.json pins no version of the package `node`')
  return {
    root,
    cache: cacheFolder(env),
    env,
    isRoot: process.getuid?.() === 0,
    terminal: new Terminal({ env }),
    nodeVersion,
  }
}
