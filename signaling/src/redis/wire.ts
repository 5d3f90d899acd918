import type { NodeWire } from '../cluster/channel.ts'
import { redisKey } from './connection.ts'
import type { RedisConnection } from './connection.ts'

/** Node-to-node messages by Redis, one channel for each node. */
export function redisWire(redis: RedisConnection): NodeWire {
  return {
    async send(to, text) {
      const sent = await redis.run((r) => r.publish(channelOf(to), text))
      return sent.ok ? { ok: true, data: sent.data > 0 } : sent
    },
    listen(as, listener) {
      void redis.subscribe(channelOf(as), listener)
    },
  }
}

function channelOf(node: string): string {
  return redisKey('node', node)
}
