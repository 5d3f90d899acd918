import { defineConfig } from 'vite'
import type { Plugin } from 'vite'
import { frameWorkerText } from './frame-worker.build.ts'

const frameWorker = await frameWorkerText()

/** The set-up mends ts-mls (`tools/setup/mls-patch.mjs`); a bundle of the unmended one is no good. */
const refuseUnmendedMls: Plugin = {
  name: 'refuse-unmended-mls',
  transform(code, id) {
    if (!id.includes('ts-mls/dist/src/clientState.js')) return
    if (!code.includes('unmergedLeaves.includes(unmergedLeaf)')) {
      this.error('ts-mls is not mended: run `npm run setup -- signaling` first.')
    }
  },
}

/**
 * The SDK as one file that any page can import. Not Vite's library mode, which leaves the white
 * space of ES modules in: a third of the size before compression.
 */
export default defineConfig({
  publicDir: false,
  define: frameWorker,
  plugins: [refuseUnmendedMls],
  build: {
    target: 'es2022',
    outDir: 'dist',
    // The demo is built into the same place.
    emptyOutDir: false,
    sourcemap: true,
    modulePreload: false,
    rolldownOptions: {
      input: 'src/index.ts',
      preserveEntrySignatures: 'strict',
      output: { codeSplitting: false, entryFileNames: 'sdk.js' },
    },
  },
})
