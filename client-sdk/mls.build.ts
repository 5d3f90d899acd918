import type { Plugin } from 'vite'

/** Where `import('crypto')` leads: a way for old versions of Node that browsers never take. */
const BROWSER_CRYPTO = '\0browser-crypto'

/**
 * What bundles with MLS in them need. The set-up mends ts-mls (`tools/setup/mls-patch.mjs`), and a
 * bundle of the unmended one is no good. Its HPKE looks for Node's `crypto` where there is no global
 * one; in browsers there always is.
 */
export const mlsInBrowsers: Plugin = {
  name: 'mls-in-browsers',
  enforce: 'pre',
  resolveId: (id) => (id === 'crypto' ? BROWSER_CRYPTO : undefined),
  load: (id) => (id === BROWSER_CRYPTO ? 'export const webcrypto = globalThis.crypto' : undefined),
  transform(code, id) {
    if (!id.includes('ts-mls/dist/src/clientState.js')) return
    if (!code.includes('unmergedLeaves.includes(unmergedLeaf)')) {
      this.error('ts-mls is not mended: run `npm run setup -- signaling` first.')
    }
  },
}
