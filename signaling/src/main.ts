import { randomUUID } from 'node:crypto'
import { Health, Metrics, runProcess, StartError } from '@parley/service'
import { readSignalingConfig } from './config.ts'
import { startSignaling } from './server.ts'
import { SfuLink } from './sfu-link/client.ts'

await runProcess('signaling', async ({ shutdown, openLog }) => {
  const config = readSignalingConfig()
  const log = openLog(config.logLevel)
  const metrics = new Metrics()
  metrics.collectProcessMetrics()
  const { sfuSecret } = config
  const controller = randomUUID()
  const links = config.sfuNodes.map((address) => {
    if (!sfuSecret) throw new StartError('Set PARLEY_SFU_SECRET to the secret of the SFU nodes.')
    return new SfuLink({ address, controller, secret: sfuSecret, log })
  })
  for (const link of links) shutdown.add(`link to ${link.id}`, () => link.close())
  const signaling = await startSignaling(config, {
    log,
    metrics,
    health: new Health(),
    nodes: links,
  })
  shutdown.add('signaling', () => signaling.close())
})
