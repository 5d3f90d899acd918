import type { Metrics } from '@parley/service'
import type { Counters } from './core/counters.ts'
import type { TurnServer } from './core/server.ts'
import { methods } from './wire/index.ts'

const methodNames = new Map<number, string>(
  Object.entries(methods).map(([name, method]) => [method, name]),
)

/**
 * Publishes a core's totals. The packet path raises plain numbers; the returned function, called
 * once a second, moves what is new into Prometheus counters.
 */
export function publishMetrics(metrics: Metrics, server: TurnServer): () => void {
  const allocations = metrics.gauge('parley_turn_allocations', 'Live allocations.')
  const directions = ['direction'] as const
  const bytes = metrics.counter(
    'parley_turn_relayed_bytes_total',
    'Payload bytes relayed.',
    directions,
  )
  const packets = metrics.counter(
    'parley_turn_relayed_packets_total',
    'Datagrams relayed.',
    directions,
  )
  const responses = metrics.counter(
    'parley_turn_responses_total',
    'Responses by method and error code; code 0 is success.',
    ['method', 'code'],
  )
  const drops = metrics.counter(
    'parley_turn_dropped_packets_total',
    'Packets that came to nothing, by reason.',
    ['reason'],
  )
  const published = snapshot(server.counters)
  return () => {
    const { counters } = server
    allocations.set(server.allocationCount)
    bytes.inc({ direction: 'to_peer' }, counters.bytesToPeer - published.bytesToPeer)
    bytes.inc({ direction: 'to_client' }, counters.bytesToClient - published.bytesToClient)
    packets.inc({ direction: 'to_peer' }, counters.packetsToPeer - published.packetsToPeer)
    packets.inc({ direction: 'to_client' }, counters.packetsToClient - published.packetsToClient)
    for (const [key, count] of counters.responses) {
      const method = methodNames.get(Math.floor(key / 1000)) ?? 'other'
      responses.inc({ method, code: key % 1000 }, count - (published.responses.get(key) ?? 0))
    }
    for (const [reason, count] of counters.drops) {
      drops.inc({ reason }, count - (published.drops.get(reason) ?? 0))
    }
    Object.assign(published, snapshot(counters))
  }
}

function snapshot(counters: Counters): Counters {
  return {
    ...counters,
    responses: new Map(counters.responses),
    drops: new Map(counters.drops),
  }
}
