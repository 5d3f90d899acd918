import { Health, Metrics, runProcess, serveOperations } from '@parley/service'
import { readTurnConfig, startTurn } from './index.ts'

await runProcess('turn', async ({ shutdown, openLog }) => {
  const config = readTurnConfig()
  const log = openLog(config.logLevel)
  const metrics = new Metrics()
  const health = new Health()
  metrics.collectProcessMetrics()
  if (config.metrics) {
    const operations = await serveOperations(config.metrics, { metrics, health })
    shutdown.add('operations', operations.close)
  }
  const turn = await startTurn(config, { log, metrics, health })
  shutdown.add('turn', () => turn.close())
})
