/**
 * @typedef {'packages' | 'worker' | 'relay' | 'web' | 'browsers' | 'programs'} Need
 * @typedef {{ needs: readonly Need[], about: string }} Purpose
 */

/** What each npm script asks the set-up for. @type {Readonly<Record<string, Purpose>>} */
export const purposes = {
  start: {
    needs: ['packages', 'worker', 'relay', 'web'],
    about: 'everything in one process, with the demo',
  },
  test: {
    needs: ['packages', 'worker', 'relay', 'web', 'browsers', 'programs'],
    about: 'the whole test suite',
  },
  check: { needs: ['packages'], about: 'types, lint, format and rules' },
  signaling: { needs: ['packages', 'web'], about: 'the signaling service, which serves the SDK' },
  sfu: { needs: ['packages', 'worker'], about: 'a media node' },
  turn: { needs: ['packages', 'relay'], about: 'the TURN server' },
  bench: { needs: ['packages', 'relay', 'programs'], about: 'comparisons with peers' },
  conformance: { needs: ['packages', 'programs'], about: 'the relay beside others, by the RFCs' },
  loadtest: { needs: ['packages', 'worker'], about: 'the load tester' },
  all: {
    needs: ['packages', 'worker', 'relay', 'web', 'browsers', 'programs'],
    about: 'all of the above',
  },
}

/**
 * Reads the command line: no argument means everything.
 * @param {readonly string[]} args
 * @returns {{ type: 'help' } | { type: 'unknown', word: string } | { type: 'prepare', purpose: string, needs: readonly Need[] }}
 */
export function parseCommandLine(args) {
  if (args.some((word) => word === '--help' || word === '-h')) return { type: 'help' }
  const [name = 'all', extra] = args
  const purpose = Object.hasOwn(purposes, name) ? purposes[name] : undefined
  if (!purpose) return { type: 'unknown', word: name }
  if (extra !== undefined) return { type: 'unknown', word: extra }
  return { type: 'prepare', purpose: name, needs: purpose.needs }
}

/** The text of `--help`. */
export function helpText() {
  const rows = Object.entries(purposes).map(
    ([name, { needs, about }]) => `  ${name.padEnd(13)}${about} (${needs.join(', ')})`,
  )
  return `Usage: node tools/setup/main.mjs [purpose]

Brings this machine to readiness for a purpose, and does nothing that is already done.

Purposes (default: all)
${rows.join('\n')}

Needs
  packages   npm packages from the lockfile, Node 24 among them
  worker     mediasoup's media worker: the official prebuilt one, else built from source
  relay      an add-on that takes datagrams in batches, where there is a C++ compiler
  web        the browser SDK and the demo page
  browsers   Chromium and Firefox, for tests
  programs   what tests run beside Parley: coturn and Redis (never started as services), openssl,
             certutil, systemd-analyze

Environment
  PARLEY_CACHE            where built workers are kept (default: $XDG_CACHE_HOME/parley or
                          ~/.cache/parley)
  MEDIASOUP_WORKER_BIN    use this worker; none is downloaded or built
  MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD
                          1: build the worker even where the prebuilt one can be reached
  MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL
                          a mirror of mediasoup's release downloads
  NO_COLOR                no colours

To start over: delete node_modules for the packages, the cache folder for the worker.
`
}
