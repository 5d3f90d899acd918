import { createHash } from 'node:crypto'
import { join } from 'node:path'

import { installDebianPackages } from './apt.mjs'
import { takeLock } from './lock.mjs'
import { installPackages, packagesReady } from './packages.mjs'
import { buildRelay, relayReady } from './relay.mjs'
import { browsers, missing, programs } from './requirements.mjs'
import { buildWeb, webReady } from './web.mjs'
import { findWorker, provideWorker, workerReady } from './worker/worker.mjs'

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./purposes.mjs').Need} Need
 */

/**
 * Brings the machine to readiness; does nothing, and says nothing, where it is ready.
 *
 * What can only be told apart by trying comes first (is there a worker in the cache, or one to
 * download?), so that everything missing of the operating system is installed, or named, at once
 * and before the long build.
 * @param {Context} context
 * @param {readonly Need[]} needs
 */
export async function prepare(context, needs) {
  if (await isReady(context, needs)) return
  const lock = await takeLock(join(context.cache, 'locks', `${checkoutId(context)}.lock`), {
    onWait: (holder) =>
      context.terminal.note(`Waiting for the set-up that runs already (${holder?.pid ?? '?'}) …`),
  })
  try {
    await installPackages(context)
    const forWorker = needs.includes('worker') ? await findWorker(context) : []
    await installDebianPackages(context, [...forWorker, ...missingSystemParts(needs)])
    if (needs.includes('worker')) await provideWorker(context)
    if (needs.includes('relay')) await buildRelay(context)
    if (needs.includes('web')) await buildWeb(context)
  } finally {
    lock.release()
  }
}

/**
 * @param {Context} context
 * @param {readonly Need[]} needs
 */
async function isReady(context, needs) {
  return (
    packagesReady(context) &&
    (!needs.includes('web') || webReady(context)) &&
    missingSystemParts(needs).length === 0 &&
    (!needs.includes('relay') || (await relayReady(context))) &&
    (!needs.includes('worker') || (await workerReady(context)))
  )
}

/** @param {readonly Need[]} needs */
function missingSystemParts(needs) {
  return missing([
    ...(needs.includes('browsers') ? browsers : []),
    ...(needs.includes('programs') ? programs : []),
  ])
}

/** A name for the checkout that is fit for a file. @param {Context} context */
function checkoutId({ root }) {
  return `checkout-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`
}
