import { availableParallelism } from 'node:os'
import { Health, Metrics, runProcess, serveOperations } from '@parley/service'
import { readTurnConfig, startTurn } from './index.ts'
import { watchConfig } from './reload.ts'

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
  const workers = config.workers ?? availableParallelism()
  const turn = await startTurn({ ...config, workers }, { log, metrics, health })
  shutdown.add('turn', () => turn.close())
  const watch = watchConfig(turn, { files: config.watchedFiles, read: () => readTurnConfig(), log })
  shutdown.add('reload', () => {
    watch.close()
  })
  process.on('SIGHUP', () => {
    void watch.reload()
  })
})
