import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { cacheFolder } from './cache.mjs'
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
  return {
    root,
    cache: cacheFolder(env),
    env,
    isRoot: process.getuid?.() === 0,
    terminal: new Terminal({ env }),
    nodeVersion: readJson(join(root, 'package.json')).dependencies.node,
  }
}

/**
 * Reads one of the project's own JSON files, whose shape is known.
 * @param {string} file
 * @returns {any}
 */
export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
