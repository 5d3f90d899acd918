// Run as a program: `node download.mjs URL FILE`. Prints why it failed and ends with 1. It is a
// process of its own so that it runs on the project's Node, which honours HTTPS_PROXY.
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A host that does not answer within this time counts as out of reach. Milliseconds. */
const ANSWER_WITHIN_MS = 5_000

/** A download that stands still for this long is given up. Milliseconds. */
const STALL_AFTER_MS = 10_000

/**
 * @param {string} url
 * @param {string} file
 */
async function download(url, file) {
  const abort = new AbortController()
  let timer = setTimeout(() => abort.abort(new Error('no answer in time')), ANSWER_WITHIN_MS)
  const response = await fetch(url, { signal: abort.signal })
  if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`)
  const body = Readable.fromWeb(
    /** @type {import('node:stream/web').ReadableStream} */ (response.body),
  )
  const rearm = () => {
    clearTimeout(timer)
    timer = setTimeout(() => abort.abort(new Error('the download stalled')), STALL_AFTER_MS)
  }
  body.on('data', rearm)
  await pipeline(body, createWriteStream(file))
  clearTimeout(timer)
}

const [url = '', file = ''] = process.argv.slice(2)
try {
  await download(url, file)
  process.exit(0)
} catch (error) {
  const { message, cause } = /** @type {Error} */ (error)
  console.error(cause instanceof Error ? cause.message : message)
  process.exit(1)
}
