import { defineConfig } from 'vite'
import { frameWorkerText } from './frame-worker.build.ts'
import { mlsInBrowsers } from './mls.build.ts'

const frameWorker = await frameWorkerText()

/** The SDK for stories about encryption; not part of any release. */
export default defineConfig({
  publicDir: false,
  define: frameWorker,
  plugins: [mlsInBrowsers],
  build: {
    target: 'es2022',
    outDir: 'dist/lab',
    modulePreload: false,
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      input: 'scenarios/lab-sdk.ts',
      preserveEntrySignatures: 'strict',
      output: { codeSplitting: false, entryFileNames: 'sdk.js' },
    },
  },
})
