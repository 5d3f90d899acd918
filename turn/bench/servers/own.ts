/** Our server for the benchmark: loopback peers allowed, limits per user and stranger out of the way. */
import { Health, Metrics, createLog } from '@parley/service'
import { readTurnConfig, startTurn } from '../../src/index.ts'

const [path = 'auto', secret = ''] = process.argv.slice(2)
const config = readTurnConfig({
  PARLEY_TURN_LISTEN: 'udp://127.0.0.1:0',
  PARLEY_TURN_SECRET: secret,
  PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1',
  PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8',
  PARLEY_TURN_PORTS: '10000-19999',
  PARLEY_TURN_DATAGRAMS: path,
})
const many = 1_000_000
const limits = {
  ...config.limits,
  allocationsPerUser: many,
  strangerRepliesPerSecond: many,
  bindingRepliesPerSecond: many,
}
const server = await startTurn(
  { ...config, limits },
  { log: createLog('turn', { level: 'silent' }), metrics: new Metrics(), health: new Health() },
)
process.stdout.write(`${server.listeners[0]?.port ?? 0}\n`)
