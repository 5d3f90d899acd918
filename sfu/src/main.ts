import { Health, Metrics, runProcess, serveOperations, StartError } from '@parley/service'
import { readSfuConfig } from './config.ts'
import { serveControl } from './control/server.ts'
import { startSfu } from './sfu.ts'

await runProcess('sfu', async ({ shutdown, openLog }) => {
  const config = readSfuConfig()
  const { secret } = config
  if (secret === undefined) {
    throw new StartError(
      'PARLEY_SFU_SECRET is not set. Give signaling and the node the same one, of at least 16 characters.',
    )
  }
  const log = openLog(config.logLevel)
  const metrics = new Metrics()
  metrics.collectProcessMetrics()
  const health = new Health()
  const sfu = await startSfu(config, { log, metrics, health })
  shutdown.add('media node', () => sfu.close())
  const control = await serveControl(config.control, { hub: sfu.hub, secret, log })
  shutdown.add('control link', () => control.close())
  if (config.metrics !== undefined) {
    const operations = await serveOperations(config.metrics, { metrics, health })
    shutdown.add('operations', () => operations.close())
  }
})
