import { runProcess } from '@parley/service'
import { embeddedEnvironment } from './config.ts'
import { startAllInOne } from './start.ts'

await runProcess('parley', async ({ shutdown, openLog }) => {
  const env = embeddedEnvironment()
  const log = openLog(env['PARLEY_LOG_LEVEL'] ?? 'warn')
  const { port, publicAddress, turnUrls } = await startAllInOne({ env, log, shutdown })
  console.log(`
Parley is running. Open the demo in two tabs and call one from the other:

  http://localhost:${port}

  Media is announced at ${publicAddress}.
  Relay: ${turnUrls.join(', ') || 'none'}
  Other devices need https for camera and microphone; see README.md.
  Ctrl-C stops everything.
`)
})
