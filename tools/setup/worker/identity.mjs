import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { run } from '../command.mjs'
import { readManifest } from '../manifest.mjs'
import { hashOf } from '../stamp.mjs'

/**
 * @typedef {import('../context.mjs').Context} Context
 *
 * @typedef {object} Facts What decides whether a worker fits this machine.
 * @property {string} mediasoup Version of the npm package.
 * @property {string} arch
 * @property {string} system Distribution and C library.
 * @property {string} recipe Hash of everything that shapes the build.
 * @property {string} compiler
 */

/** The folder of the recipe: the build description and the headers that stand in for libraries. */
export const recipeFolder = fileURLToPath(new URL('recipe', import.meta.url))

/** The installed mediasoup package. @param {Context} context */
export const mediasoupFolder = ({ root }) => join(root, 'node_modules/mediasoup')

/** Where mediasoup looks for its worker unless told otherwise. @param {Context} context */
export const installedWorker = (context) =>
  join(mediasoupFolder(context), 'worker/out/Release/mediasoup-worker')

/**
 * @param {Context} context
 * @returns {Promise<Facts>}
 */
export async function collectFacts(context) {
  const [compiler, libc] = await Promise.all([compilerVersion(context.env), libcVersion()])
  return {
    mediasoup: readManifest(join(mediasoupFolder(context), 'package.json')).version,
    arch: process.arch,
    system: `${distribution()}-${libc}`,
    recipe: hashOf(fileURLToPath(new URL('.', import.meta.url)), ['recipe', 'dtls-patch.mjs']),
    compiler,
  }
}

/**
 * The names under which a worker is cached. A prebuilt one does not depend on our recipe, nor on
 * a compiler.
 * @param {Facts} facts
 */
export function cacheKeys({ mediasoup, arch, system, recipe, compiler }) {
  const base = [mediasoup, arch, system].map(fileName).join('_')
  return {
    prebuilt: `${base}/prebuilt`,
    built: `${base}/built-${fileName(recipe)}-${fileName(compiler)}`,
  }
}

/**
 * Reads `ID` and `VERSION_ID` of os-release.
 * @param {string} text
 */
export function distributionOf(text) {
  const value = (/** @type {string} */ key) =>
    new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1]
  return [value('ID'), value('VERSION_ID')].filter(Boolean).join('-')
}

/** @param {string} text */
const fileName = (text) => text.trim().replaceAll(/[^A-Za-z0-9.+-]+/g, '-')

function distribution() {
  try {
    return distributionOf(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return process.platform
  }
}

/** @param {NodeJS.ProcessEnv} env */
async function compilerVersion(env) {
  const compiler = env['CXX'] ?? 'c++'
  const { code, output } = await run(compiler, ['-dumpfullversion', '-dumpversion'])
  const family = compiler.split('/').at(-1) ?? compiler
  return code === 0 ? `${family}-${output.trim()}` : 'none'
}

async function libcVersion() {
  const { code, output } = await run('getconf', ['GNU_LIBC_VERSION'])
  return code === 0 ? output.trim() : 'other-libc'
}
