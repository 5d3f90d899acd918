import { defineConfig } from 'vite'

/** The encryption worker as a file, for pages whose policy forbids the one inside `sdk.js`. */
export default defineConfig({
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: false,
    modulePreload: false,
    rolldownOptions: {
      input: 'src/e2ee/worker.ts',
      output: { format: 'iife', codeSplitting: false, entryFileNames: 'e2ee-worker.js' },
    },
  },
})
