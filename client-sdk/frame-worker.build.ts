import { build } from 'vite'

/** What the source calls the text of the worker. */
const NAME = 'PARLEY_FRAME_WORKER'

/**
 * Builds the encryption worker into one script, for `define`: it becomes a string inside the bundle,
 * since a worker cannot be loaded from another origin than the page's.
 */
export async function frameWorkerText(): Promise<Record<typeof NAME, string>> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    root: import.meta.dirname,
    publicDir: false,
    build: {
      target: 'es2022',
      write: false,
      modulePreload: false,
      rolldownOptions: {
        input: 'src/e2ee/worker.ts',
        output: { format: 'iife', codeSplitting: false },
      },
    },
  })
  const outputs = Array.isArray(built) ? built : [built]
  const chunks = outputs.flatMap((result) => ('output' in result ? result.output : []))
  const [worker, ...rest] = chunks.filter((chunk) => chunk.type === 'chunk')
  if (!worker || rest.length > 0) throw new Error('the worker did not become one file')
  return { [NAME]: JSON.stringify(worker.code) }
}
