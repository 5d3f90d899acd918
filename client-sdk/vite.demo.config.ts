import { defineConfig } from 'vite'
import { frameWorkerText } from './frame-worker.build.ts'
import { mlsInBrowsers } from './mls.build.ts'

const frameWorker = await frameWorkerText()

/** The demo, served by signaling in development. */
export default defineConfig({
  root: 'demo',
  publicDir: 'public',
  define: frameWorker,
  plugins: [mlsInBrowsers],
  build: {
    target: 'es2022',
    outDir: '../dist/demo',
    emptyOutDir: true,
    sourcemap: true,
    // It holds the whole SDK.
    chunkSizeWarningLimit: 800,
  },
})
