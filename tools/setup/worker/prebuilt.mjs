import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { temporaryFolder } from '../cache.mjs'
import { run } from '../command.mjs'
import { readManifest } from '../manifest.mjs'
import { installedNode } from '../node.mjs'
import { mediasoupFolder } from './identity.mjs'
import { tryWorker } from './trial.mjs'

/**
 * @typedef {import('../context.mjs').Context} Context
 *
 * @typedef {{ ok: true, worker: string, dispose: () => void }
 *   | { ok: false, reason: string }} Prebuilt
 */

/**
 * Fetches mediasoup's official prebuilt worker, where its host answers and the binary loads here.
 * @param {Context} context
 * @returns {Promise<Prebuilt>}
 */
export async function fetchPrebuilt(context) {
  const { cache, env } = context
  if (env['MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD']) {
    return { ok: false, reason: 'MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD is set' }
  }
  const manifest = readManifest(join(mediasoupFolder(context), 'package.json'))
  const url = prebuiltUrl(manifest, env, {
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
  })
  const { path: folder, dispose } = temporaryFolder(cache)
  const step = context.terminal.begin('Looking for the prebuilt media worker')
  try {
    const reason = await fetchInto(context, url, folder)
    if (reason === undefined) {
      step.finish('Fetched the prebuilt media worker')
      return { ok: true, worker: join(folder, 'mediasoup-worker'), dispose }
    }
    step.abandon()
    dispose()
    return { ok: false, reason: `${new URL(url).host}: ${reason}` }
  } catch (error) {
    step.abandon()
    dispose()
    throw error
  }
}

/**
 * Where mediasoup publishes the worker for a machine, named as its own install script names it.
 * @param {{ version: string, repository?: { url: string } }} manifest
 * @param {NodeJS.ProcessEnv} env
 * @param {{ platform: string, arch: string, kernel: string }} machine
 */
export function prebuiltUrl({ version, repository }, env, { platform, arch, kernel }) {
  const base =
    env['MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL'] ||
    `${repository?.url.replace(/^git\+/, '').replace(/\.git$/, '') ?? ''}/releases/download`
  const major = platform === 'linux' ? `-kernel${Number.parseInt(kernel, 10)}` : ''
  return `${base}/${version}/mediasoup-worker-${version}-${platform}-${arch}${major}.tgz`
}

/**
 * @param {Context} context
 * @param {string} url
 * @param {string} folder
 * @returns {Promise<string | undefined>} Why there is no worker; undefined where there is.
 */
async function fetchInto(context, url, folder) {
  const archive = join(folder, 'worker.tgz')
  const program = fileURLToPath(new URL('download.mjs', import.meta.url))
  const fetched = await run(installedNode(context), [program, url, archive], {
    env: { ...context.env, NODE_USE_ENV_PROXY: '1', NODE_NO_WARNINGS: '1' },
  })
  if (fetched.code !== 0) return fetched.output.trim() || 'no answer'
  const unpacked = await run('tar', ['-xzf', archive, '-C', folder])
  const worker = join(folder, 'mediasoup-worker')
  if (unpacked.code !== 0 || !existsSync(worker)) return 'the archive cannot be unpacked'
  const trial = await tryWorker(worker)
  if (trial.result === 'runs') return undefined
  return trial.result === 'fails' ? trial.reason : `it lacks ${trial.libraries.join(', ')}`
}
