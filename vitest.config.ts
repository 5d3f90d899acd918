import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    reporters: ['default', './tools/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'parts',
          include: [
            '{protocol,service,signaling,sfu,turn,client-sdk,loadtest,deploy,tools}/**/*.test.{ts,mjs}',
          ],
          globalSetup: './tools/mended-mls.ts',
          // Ends a test that hangs; fuzz and model walks take a third of this on a slow machine.
          testTimeout: 60_000,
          // Starting servers and their threads is the slowest part of many tests.
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'scenarios',
          include: ['scenarios/**/*.test.ts'],
          // Browsers and encoders share the machine: one story at a time is the faster way.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
