import { defineConfig } from 'vite'
import { frameWorkerText } from './frame-worker.build.ts'
import { mlsInBrowsers } from './mls.build.ts'

const frameWorker = await frameWorkerText()

/**
 * The SDK as one file that any page can import. Not Vite's library mode, which leaves the white
 * space of ES modules in: a third of the size before compression.
 */
export default defineConfig({
  publicDir: false,
  define: frameWorker,
  plugins: [mlsInBrowsers],
  build: {
    target: 'es2022',
    outDir: 'dist',
    // The demo is built into the same place.
    emptyOutDir: false,
    sourcemap: true,
    modulePreload: false,
    // One file is the point of it.
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      input: 'src/index.ts',
      preserveEntrySignatures: 'strict',
      output: { codeSplitting: false, entryFileNames: 'sdk.js' },
    },
  },
})
