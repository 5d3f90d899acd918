import type { Metrics } from '@parley/service'
import type { Counters } from './core/counters.ts'
import { dropReasons } from './core/counters.ts'
import { methods } from './wire/index.ts'

const methodNames = new Map<number, string>(
  Object.entries(methods).map(([name, method]) => [method, name]),
)

/**
 * Publishes the totals of all workers as one. The packet path raises plain numbers; each scrape moves
 * what is new into Prometheus counters.
 */
export function publishMetrics(metrics: Metrics, workers: readonly Counters[]): void {
  // Metrics are collected in the order of their making: this one brings the others up to date.
  metrics.gauge('parley_turn_allocations', 'Live allocations.', {
    collect: (allocations) => {
      allocations.set(sumOf(workers, (counters) => counters.allocations))
      publish()
    },
  })
  const bytes = metrics.counter('parley_turn_relayed_bytes_total', 'Payload bytes relayed.', [
    'direction',
  ])
  const packets = metrics.counter('parley_turn_relayed_packets_total', 'Datagrams relayed.', [
    'direction',
  ])
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
  const published = new Map<string, number>()
  /** What has come since the last call. */
  const news = (key: string, total: number) => {
    const before = published.get(key) ?? 0
    published.set(key, total)
    return total - before
  }
  const publish = () => {
    const toPeer = { direction: 'to_peer' }
    const toClient = { direction: 'to_client' }
    bytes.inc(
      toPeer,
      news(
        'bytesToPeer',
        sumOf(workers, (each) => each.bytesToPeer),
      ),
    )
    bytes.inc(
      toClient,
      news(
        'bytesToClient',
        sumOf(workers, (each) => each.bytesToClient),
      ),
    )
    packets.inc(
      toPeer,
      news(
        'packetsToPeer',
        sumOf(workers, (each) => each.packetsToPeer),
      ),
    )
    packets.inc(
      toClient,
      news(
        'packetsToClient',
        sumOf(workers, (each) => each.packetsToClient),
      ),
    )
    for (const worker of workers.keys()) {
      for (const { method, code, count } of workers[worker]?.responses() ?? []) {
        const fresh = news(`${worker} ${method} ${code}`, count)
        // A series begins with its first response, so that a scrape lists what has happened.
        if (fresh > 0) responses.inc({ method: methodNames.get(method) ?? 'other', code }, fresh)
      }
    }
    for (const reason of dropReasons) {
      drops.inc(
        { reason },
        news(
          reason,
          sumOf(workers, (counters) => counters.drops(reason)),
        ),
      )
    }
  }
}

/** A total of all workers. */
export function sumOf(workers: readonly Counters[], of: (counters: Counters) => number): number {
  return workers.reduce((sum, counters) => sum + of(counters), 0)
}
