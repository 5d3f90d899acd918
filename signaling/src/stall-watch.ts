import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from '@parley/service'

/** Finer sees shorter stalls and costs more wake-ups. Milliseconds. */
const RESOLUTION_MS = 20

/** Shows the longest stall of the event loop since the last scrape; the answer stops the watch. */
export function watchStalls(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  metrics.gauge(
    'parley_signaling_event_loop_stall_seconds',
    'The longest that the event loop stood still since the last scrape.',
    {
      collect: (gauge) => {
        // Each delay has the timer's own interval in it; before the first one there is none.
        const stallMs = delay.count === 0 ? 0 : delay.max / 1e6 - RESOLUTION_MS
        gauge.set(Math.max(0, stallMs) / 1_000)
        delay.reset()
      },
    },
  )
  return () => delay.disable()
}
