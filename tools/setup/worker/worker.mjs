import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { keepLog, placeExecutable } from '../cache.mjs'
import { run } from '../command.mjs'
import { SetupFailure } from '../failure.mjs'
import { takeLock } from '../lock.mjs'
import { installedNode } from '../node.mjs'
import { libraryRequirements, missing, workerBuild } from '../requirements.mjs'
import { readStamp, writeStamp } from '../stamp.mjs'
import { buildWorker } from './build.mjs'
import { cacheKeys, collectFacts, installedWorker } from './identity.mjs'
import { fetchPrebuilt } from './prebuilt.mjs'
import { tryWorker } from './trial.mjs'

/**
 * @typedef {import('../context.mjs').Context} Context
 * @typedef {import('../requirements.mjs').Requirement} Requirement
 */

/** A build that has not moved for this long will not be resumed. Milliseconds. */
const ABANDONED_AFTER_MS = 24 * 3_600_000

/**
 * Whether mediasoup finds a worker that was proved and loads.
 * @param {Context} context
 */
export async function workerReady(context) {
  const own = context.env['MEDIASOUP_WORKER_BIN']
  if (own) return (await tryWorker(own)).result === 'runs'
  const installed = installedWorker(context)
  if (!existsSync(installed)) return false
  const { prebuilt, built } = cacheKeys(await collectFacts(context))
  const expected = [prebuilt, built].map((key) => stampOf(installed, key))
  const stamp = readStamp(`${installed}.json`)
  if (!expected.some((one) => one === stamp)) return false
  return (await tryWorker(installed)).result === 'runs'
}

/**
 * Puts a worker in place from the cache or from the official downloads. Where there is none,
 * answers what of the operating system is missing to run or build one.
 * @param {Context} context
 * @returns {Promise<Requirement[]>}
 */
export async function findWorker(context) {
  const own = context.env['MEDIASOUP_WORKER_BIN']
  if (own) return requireOwn(own)
  if (await workerReady(context)) return []
  const cached = await findCached(context)
  if (cached.found) return cached.lacks
  const { prebuilt } = cacheKeys(await collectFacts(context))
  const fetched = await fetchPrebuilt(context)
  if (!fetched.ok) {
    context.terminal.note(`No prebuilt media worker (${fetched.reason}); it is built here instead.`)
    return missing(workerBuild)
  }
  try {
    await proveWorker(context, fetched.worker)
    keep(context, fetched.worker, prebuilt)
    return []
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    context.terminal.note(`The prebuilt media worker is of no use here: ${error.message}`)
    return missing(workerBuild)
  } finally {
    fetched.dispose()
  }
}

/**
 * Builds a worker unless one is in place by now. What it needs is installed.
 * @param {Context} context
 */
export async function provideWorker(context) {
  if (await workerReady(context)) return
  const own = context.env['MEDIASOUP_WORKER_BIN']
  if (own) throw unusableOwn(own, 'libraries that it needs are missing')
  // The compiler may have arrived only now, and it is part of the key.
  const { built } = cacheKeys(await collectFacts(context))
  const lock = await takeLock(join(context.cache, 'locks', `${built.replace('/', '_')}.lock`), {
    onWait: (holder) =>
      context.terminal.note(
        `Waiting for process ${holder?.pid ?? '?'}, which builds the same worker …`,
      ),
  })
  try {
    const cached = await findCached(context)
    if (cached.found && cached.lacks.length === 0) return
    const folder = join(context.cache, 'build', built)
    const worker = await buildWorker(context, folder)
    await proveWorker(context, worker)
    keep(context, worker, built)
    rmSync(folder, { recursive: true, force: true })
    dropAbandonedBuilds(dirname(folder))
  } finally {
    lock.release()
  }
}

/**
 * Removes what cut-short builds of earlier recipes left, a few hundred megabytes each.
 * @param {string} folder
 */
function dropAbandonedBuilds(folder) {
  for (const name of readdirSync(folder)) {
    const log = statSync(join(folder, name, 'out/.ninja_log'), { throwIfNoEntry: false })
    const idleMs = Date.now() - (log?.mtimeMs ?? Date.now())
    if (idleMs > ABANDONED_AFTER_MS) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

/**
 * Takes a worker from the cache.
 * @param {Context} context
 * @returns {Promise<{ found: boolean, lacks: Requirement[] }>}
 */
async function findCached(context) {
  const { prebuilt, built } = cacheKeys(await collectFacts(context))
  for (const key of [prebuilt, built]) {
    const worker = cachedWorker(context, key)
    if (!existsSync(worker)) continue
    const trial = await tryWorker(worker)
    if (trial.result === 'fails') {
      rmSync(worker, { force: true })
      continue
    }
    install(context, worker, key)
    const lacks = trial.result === 'runs' ? [] : libraryRequirements(trial.libraries)
    return { found: true, lacks }
  }
  return { found: false, lacks: [] }
}

/**
 * Sends media and data through the worker; see `prove.mjs`.
 * @param {Context} context
 * @param {string} worker
 */
export async function proveWorker(context, worker) {
  const step = context.terminal.begin('Proving the media worker')
  const program = fileURLToPath(new URL('prove.mjs', import.meta.url))
  const { code, output } = await run(installedNode(context), [program, worker], {
    cwd: context.root,
  })
  if (code !== 0) {
    step.abandon()
    const log = keepLog(context.cache, 'worker-proof', output)
    const reason = output.trim().split('\n').at(-1) ?? 'it says nothing'
    throw new SetupFailure(`The media worker fails its trial: ${reason}`, {
      advice: ['It is not kept. Please report this with the log.'],
      ...(log ? { log } : {}),
    })
  }
  step.finish(`Proved the media worker: ${output.trim().split('\n').at(-1) ?? ''}`)
}

/**
 * @param {Context} context
 * @param {string} worker
 * @param {string} key
 */
function keep(context, worker, key) {
  placeExecutable(worker, cachedWorker(context, key))
  install(context, cachedWorker(context, key), key)
}

/**
 * @param {Context} context
 * @param {string} worker
 * @param {string} key
 */
function install(context, worker, key) {
  const installed = installedWorker(context)
  placeExecutable(worker, installed)
  writeStamp(`${installed}.json`, stampOf(installed, key))
}

/**
 * Says which worker stands there, and that nobody has put another in its place.
 * @param {string} installed
 * @param {string} key
 */
function stampOf(installed, key) {
  const { size, mtimeMs } = statSync(installed)
  return `${key} ${size} ${mtimeMs}`
}

/** @param {Context} context @param {string} key */
const cachedWorker = ({ cache }, key) => join(cache, 'workers', key, 'mediasoup-worker')

/**
 * @param {string} worker
 * @returns {Promise<Requirement[]>}
 */
async function requireOwn(worker) {
  const trial = await tryWorker(worker)
  if (trial.result === 'runs') return []
  if (trial.result === 'lacks-libraries') return libraryRequirements(trial.libraries)
  throw unusableOwn(worker, trial.reason)
}

/** @param {string} worker @param {string} reason */
function unusableOwn(worker, reason) {
  return new SetupFailure(`MEDIASOUP_WORKER_BIN (${worker}) does not run: ${reason}`, {
    advice: ['Name a worker of this mediasoup version, or unset the variable.'],
  })
}
