import { defineConfig } from 'vite'

/** The demo, served by signaling in development. */
export default defineConfig({
  root: 'demo',
  publicDir: false,
  build: { target: 'es2022', outDir: '../dist/demo', emptyOutDir: true, sourcemap: true },
})
