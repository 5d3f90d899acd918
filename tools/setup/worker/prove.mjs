// Run as a program under the project's Node: `node prove.mjs WORKER`. It sends media and data
// through the worker, and ends with 0 only if all of it arrives as it was sent. A worker that
// merely starts proves nothing: a wrongly built one crashes at its first DTLS handshake.
import { createWorker } from 'mediasoup'

import { proveDtls } from './proof/dtls-round-trip.mjs'
import { proveSrtp, suites } from './proof/srtp-round-trip.mjs'

/** The whole proof takes two seconds; a worker that is stuck is not waited for. Milliseconds. */
const DEADLINE_MS = 30_000

/** @param {string} workerBin */
async function prove(workerBin) {
  const worker = await createWorker({ workerBin, logLevel: 'debug', logTags: ['dtls', 'srtp'] })
  /** @type {Promise<never>} */
  const died = new Promise((_resolve, reject) => {
    worker.once('died', ({ message }) => reject(new Error(`it died ${message}`)))
  })
  const report = async () => {
    const dtls = await proveDtls(worker)
    const counts = []
    for (const suite of suites) counts.push(await proveSrtp(worker, suite))
    return [
      `DTLS-SRTP ${dtls.packets} packets`,
      `data channel ${dtls.messages} messages`,
      ...counts.map(({ suite, packets }) => `${suite} ${packets}`),
    ].join(', ')
  }
  const summary = await Promise.race([report(), died])
  worker.close()
  return summary
}

setTimeout(() => fail(new Error('it did not finish in time')), DEADLINE_MS).unref()

/** @param {unknown} error */
function fail(error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

try {
  console.log(await prove(process.argv[2] ?? ''))
  process.exit(0)
} catch (error) {
  fail(error)
}
