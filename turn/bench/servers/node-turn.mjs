// node-turn 0.0.6, for the benchmark and the conformance suite: PORT USERNAME PASSWORD
import { createRequire } from 'node:module'

/** @typedef {new (options: Record<string, unknown>) => { start(): void }} TurnClass */

const [port, username = '', password = ''] = process.argv.slice(2)
/** @type {unknown} */
const loaded = createRequire(import.meta.url)('node-turn')
const Turn = /** @type {TurnClass} */ (loaded)
const server = new Turn({
  listeningIps: ['127.0.0.1'],
  relayIps: ['127.0.0.1'],
  listeningPort: Number(port),
  minPort: 32000,
  maxPort: 44999,
  authMech: 'long-term',
  realm: 'parley',
  credentials: { [username]: password },
  debugLevel: 'OFF',
})
server.start()
