import { randomBytes } from 'node:crypto'
import type { Log } from '@parley/service'
import { LIFE_MS } from '../core/lease-book.ts'
import type { NodeId } from '../core/lease-book.ts'
import type { RedisConnection } from '../redis/connection.ts'
import { redisWire } from '../redis/wire.ts'
import { RedisLeases } from '../store/redis-leases.ts'
import { NodeChannel } from './channel.ts'
import type { ClusterLink } from './cluster.ts'

/** Bytes of randomness in a node's name. */
const NODE_ID_BYTES = 9

/** How fast a cluster moves; tests make it faster. */
export interface ClusterPace {
  readonly lifeMs?: number
  readonly beatMs?: number
  readonly settleMs?: number
}

/** Joins this process to those that share its Redis. */
export function clusterByRedis(
  redis: RedisConnection,
  { log, pace = {} }: { readonly log: Log; readonly pace?: ClusterPace },
): ClusterLink {
  // Made here, so it has the shape that the brand stands for.
  const node = randomBytes(NODE_ID_BYTES).toString('base64url') as NodeId
  const lifeMs = pace.lifeMs ?? LIFE_MS
  return {
    ...pace,
    node,
    lifeMs,
    leases: new RedisLeases({ node, redis, lifeMs }),
    channel: new NodeChannel({ node, wire: redisWire(redis), log: log.child({ node }) }),
    onState: (listener) => void redis.onState(listener),
  }
}
