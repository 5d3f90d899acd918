import type { Health, Metrics } from '@parley/service'
import type { RedisObserver } from './connection.ts'

/** Shows the connection in the metrics. */
export function observeRedis(metrics: Metrics): RedisObserver {
  const up = metrics.gauge('parley_signaling_redis_up', '1 while Redis answers, else 0.')
  const failures = metrics.counter(
    'parley_signaling_redis_failures_total',
    'Commands that failed, or were refused because Redis is away.',
  )
  return { up: (isUp) => up.set(isUp ? 1 : 0), failed: () => failures.inc() }
}

/** Shows a connection in `/readyz`; liveness never asks for Redis. */
export function reportRedis(
  redis: { onState(listener: (isUp: boolean) => void): unknown; readonly trouble: string },
  health: Health,
): void {
  health.notReady('redis', redis.trouble)
  redis.onState((isUp) => {
    if (isUp) health.ready('redis')
    else health.notReady('redis', redis.trouble)
  })
}
