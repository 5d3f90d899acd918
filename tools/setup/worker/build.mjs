import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, freemem } from 'node:os'
import { join } from 'node:path'

import { keepLog } from '../cache.mjs'
import { run } from '../command.mjs'
import { SetupFailure } from '../failure.mjs'
import { patchDtls } from './dtls-patch.mjs'
import { mediasoupFolder, recipeFolder } from './identity.mjs'
import { buildComplaint, compilerCount, ninjaProgress } from './ninja.mjs'

/** @typedef {import('../context.mjs').Context} Context */

/** What of the npm package the build reads. */
const SOURCES = ['src', 'include', 'fbs', 'deps', 'meson.build']

/**
 * Builds the worker in `folder`, which keeps what is compiled when the build is cut short, and
 * answers where the binary is.
 * @param {Context} context
 * @param {string} folder
 * @returns {Promise<string>}
 */
export async function buildWorker(context, folder) {
  const resumed = existsSync(folder)
  const step = context.terminal.begin('Building the media worker')
  try {
    let result = await compile(context, folder, step)
    if (result.code !== 0 && resumed) {
      // What an earlier run left may be damaged; a clean start tells that from a real error.
      rmSync(folder, { recursive: true, force: true })
      result = await compile(context, folder, step)
    }
    if (result.code !== 0) throw explainBuild(context, result.output)
    step.finish('Built the media worker')
    return join(folder, 'out/mediasoup-worker')
  } catch (error) {
    step.abandon()
    throw error
  }
}

/**
 * @param {Context} context
 * @param {string} folder
 * @param {import('../terminal.mjs').Step} step
 */
async function compile(context, folder, step) {
  prepare(context, folder)
  const out = join(folder, 'out')
  const { env } = context
  const configure = ['-S', folder, '-B', out, '-G', 'Ninja']
  const configured = await run('cmake', configure, { env })
  if (configured.code !== 0) return configured
  const jobs = compilerCount({ cores: availableParallelism(), freeBytes: freemem() })
  return run('ninja', ['-C', out, '-j', String(jobs)], {
    env: { ...env, NINJA_STATUS: '[%f/%t] ' },
    onLine: (line) => {
      const progress = ninjaProgress(line)
      if (progress) step.progress(progress.done, progress.total, ' files')
    },
  })
}

/**
 * Lays out a build folder: the recipe, and a patched copy of the sources. It appears under its
 * name only when it is complete.
 * @param {Context} context
 * @param {string} folder
 */
function prepare(context, folder) {
  if (existsSync(folder)) return
  const temporary = `${folder}.${process.pid}.tmp`
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary, { recursive: true })
  cpSync(recipeFolder, temporary, { recursive: true })
  for (const name of SOURCES) {
    const from = join(mediasoupFolder(context), 'worker', name)
    cpSync(from, join(temporary, 'source', name), { recursive: true, preserveTimestamps: true })
  }
  const dtls = join(temporary, 'source/src/RTC/DtlsTransport.cpp')
  writeFileSync(dtls, patchDtls(readFileSync(dtls, 'utf8')))
  renameSync(temporary, folder)
}

/**
 * @param {Context} context
 * @param {string} output
 */
function explainBuild(context, output) {
  const log = keepLog(context.cache, 'worker-build', output)
  return new SetupFailure(`The media worker does not build: ${buildComplaint(output)}`, {
    advice: [
      'If you have a worker of your own, name it by MEDIASOUP_WORKER_BIN; where the host of',
      'mediasoup’s releases can be reached, the set-up takes the prebuilt worker from there.',
    ],
    ...(log ? { log } : {}),
  })
}
