import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** @typedef {import('./context.mjs').Context} Context */

/**
 * Whether the relay's add-on is in place, or cannot be had on this machine.
 * @param {Context} context
 */
export async function relayReady(context) {
  const { batchedUdp, isNativeReady } = await builder(context)
  return isNativeReady(batchedUdp, process.env)
}

/**
 * Builds the relay's add-on. Without a compiler the relay does without: that is said, not fatal.
 * @param {Context} context
 */
export async function buildRelay(context) {
  if (await relayReady(context)) return
  const step = context.terminal.begin("Building the relay's add-on")
  const { batchedUdp, buildNative } = await builder(context)
  const result = buildNative(batchedUdp, process.env)
  if (result.ok) {
    step.finish("Built the relay's add-on")
    return
  }
  step.abandon()
  context.terminal.note(`  The relay takes datagrams one by one, as its add-on does not build.`)
}

/**
 * @param {Context} context
 * @returns {Promise<typeof import('@parley/turn/native')>}
 */
function builder({ root }) {
  const path = join(root, 'turn/native/build.mjs')
  if (!existsSync(path)) throw new Error(`${path} is missing: the checkout is not whole`)
  return import(pathToFileURL(path).href)
}
