/** A server in a process of its own, whose memory is its alone: tells its port, and what it holds when asked. */
import { Health, Metrics, createLog } from '@parley/service'
import { readTurnConfig, startTurn } from '../src/index.ts'
import { memoryNow } from './memory.ts'
import { resourcesNow } from './resources.ts'

const server = await startTurn(
  readTurnConfig({
    PARLEY_TURN_LISTEN: 'udp://127.0.0.1:0',
    PARLEY_TURN_SECRET: 'strangers do not know it',
    PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1',
    PARLEY_TURN_DATAGRAMS: process.argv[2] ?? 'auto',
  }),
  { log: createLog('turn', { level: 'silent' }), metrics: new Metrics(), health: new Health() },
)
process.on('message', () => {
  process.send?.({ ...memoryNow(), ...resourcesNow(), allocations: server.stats().allocations })
})
process.send?.(server.listeners[0]?.port)
