import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import { run } from './command.mjs'
import { SetupFailure } from './failure.mjs'
import { readLockedPackages, readManifest } from './manifest.mjs'
import { mlsPatched, patchMls } from './mls-patch.mjs'
import { installedNode, installerNode } from './node.mjs'
import { explainNpm, runNpm } from './npm.mjs'
import { hashOf, readStamp, writeStamp } from './stamp.mjs'

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./manifest.mjs').Dependencies} Dependencies
 * @typedef {import('./manifest.mjs').LockedPackages} LockedPackages
 */

const DEPENDENCY_FIELDS = /** @type {const} */ ([
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
])

/** @param {Context} context */
const stampFile = ({ root }) => join(root, 'node_modules/.parley/packages.json')

/**
 * Whether the installed packages are those of the lockfile.
 * @param {Context} context
 */
export function packagesReady(context) {
  return (
    existsSync(installedNode(context)) &&
    readStamp(stampFile(context)) === wantedStamp(context) &&
    mlsPatched(context.root)
  )
}

/**
 * Installs the npm packages of the lockfile.
 * @param {Context} context
 */
export async function installPackages(context) {
  if (packagesReady(context)) return
  if (!installedByHand(context)) {
    const step = context.terminal.begin('Installing npm packages')
    try {
      const node = await installerNode(context)
      const { code, output } = await runNpm(context, node, ['ci'])
      if (code !== 0) throw await explainNpm(context, 'install the npm packages', output)
      await requireProjectNode(context, node)
      step.finish(`Installed ${packageCount(context)} npm packages`)
    } catch (error) {
      step.abandon()
      throw error
    }
  }
  patchMls(context.root)
  writeStamp(stampFile(context), wantedStamp(context))
}

/** @param {Context} context */
function wantedStamp({ root }) {
  const manifests = workspaceFolders(root).map((folder) => join(folder, 'package.json'))
  const platform = `${process.platform} ${process.arch}`
  return hashOf(root, ['package-lock.json', 'package.json', ...manifests], [platform])
}

/**
 * Whether someone has run npm already, so that nothing is left to install. npm writes its own
 * record of what it installed last of all, so a cut-short install has none.
 * @param {Context} context
 */
function installedByHand(context) {
  const { root } = context
  const record = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(record) || !existsSync(installedNode(context))) return false
  const lock = readLockedPackages(join(root, 'package-lock.json'))
  const manifests = ['', ...workspaceFolders(root)].map((folder) => ({
    folder,
    manifest: readManifest(join(root, folder, 'package.json')),
  }))
  return (
    manifests.every(({ folder, manifest }) => sameDependencies(lock, folder, manifest)) &&
    sameInstall(lock, readLockedPackages(record))
  )
}

/**
 * Whether the lockfile repeats what a manifest asks for. Packages of this repository count as
 * there: npm links them all, whoever asks for them.
 * @param {LockedPackages} lock
 * @param {string} folder The manifest's.
 * @param {Dependencies} manifest
 */
export function sameDependencies(lock, folder, manifest) {
  const foreign = (/** @type {Record<string, string>} */ ranges) =>
    Object.entries(ranges).filter(([name]) => lock[`node_modules/${name}`]?.link !== true)
  return DEPENDENCY_FIELDS.every((field) =>
    isDeepStrictEqual(
      Object.fromEntries(foreign(lock[folder]?.[field] ?? {})),
      Object.fromEntries(foreign(manifest[field] ?? {})),
    ),
  )
}

/**
 * Whether what npm recorded as installed is what the lockfile asks for. Optional packages, which
 * are for other machines mostly, may be missing.
 * @param {LockedPackages} lock
 * @param {LockedPackages} installed
 */
export function sameInstall(lock, installed) {
  const wanted = Object.entries(lock).filter(([path]) => path.startsWith('node_modules/'))
  const extra = Object.keys(installed).some((path) => !(path in lock))
  return (
    !extra &&
    wanted.every(([path, { version, integrity, optional, peer }]) => {
      const found = installed[path]
      if (!found) return optional === true || peer === true
      return found.version === version && found.integrity === integrity
    })
  )
}

/**
 * The `node` package brings its binary by an install script, which some npm settings forbid.
 * @param {Context} context
 * @param {string} node
 */
async function requireProjectNode(context, node) {
  const works = async () => {
    if (!existsSync(installedNode(context))) return false
    const { output } = await run(installedNode(context), ['--version'])
    return output.trim() === `v${context.nodeVersion}`
  }
  if (await works()) return
  await runNpm(context, node, ['rebuild', 'node', '--ignore-scripts=false'])
  if (await works()) return
  throw new SetupFailure(`Node ${context.nodeVersion} did not arrive with the npm packages`, {
    advice: ['Let the package `node` run its install script: npm rebuild node'],
  })
}

/** @param {Context} context */
function packageCount({ root }) {
  const packages = readLockedPackages(join(root, 'node_modules/.package-lock.json'))
  return Object.keys(packages).filter((path) => path.startsWith('node_modules/')).length
}

/** @param {string} root */
const workspaceFolders = (root) => readManifest(join(root, 'package.json')).workspaces ?? []
