import type { Metrics } from '@parley/service'
import type { Counts, Hub, HubObserver } from './hub.ts'

/** Registers what is counted as it happens. */
export function countOrders(metrics: Metrics): Pick<HubObserver, 'ordered' | 'workerDied'> {
  const orders = metrics.counter('parley_sfu_orders_total', 'Orders by type and outcome.', [
    'type',
    'outcome',
  ])
  const deaths = metrics.counter('parley_sfu_worker_deaths_total', 'Workers that died.')
  return {
    ordered: (type, outcome) => orders.inc({ type, outcome }),
    workerDied: () => deaths.inc(),
  }
}

/** Registers what is read from the hub at each scrape. */
export function gaugeHub(metrics: Metrics, hub: Hub): void {
  const things: Readonly<Record<keyof Counts, string>> = {
    rooms: 'Rooms on this node.',
    peers: 'Participants in its rooms.',
    transports: 'WebRTC transports.',
    producers: 'Streams that are sent to it.',
    consumers: 'Streams that it sends on.',
  }
  for (const [thing, help] of Object.entries(things)) {
    metrics.gauge(`parley_sfu_${thing}`, help, {
      collect: (gauge) => {
        // The keys of `things` are those of the counts.
        gauge.set(hub.counts()[thing as keyof Counts])
      },
    })
  }
  metrics.gauge('parley_sfu_worker_cpu_ratio', 'Share of one core that each worker uses.', {
    labelNames: ['worker'],
    collect: (gauge) => {
      gauge.reset()
      for (const [worker, cpu] of hub.workerCpu()) gauge.set({ worker: String(worker) }, cpu)
    },
  })
}
