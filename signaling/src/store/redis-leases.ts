import type { Result } from '@parley/protocol'
import { LIFE_MS } from '../core/lease-book.ts'
import type { NodeId } from '../core/lease-book.ts'
import { redisKey } from '../redis/connection.ts'
import type { RedisConnection } from '../redis/connection.ts'
import type { Claim, Held, Lease, Leases } from './leases.ts'
import { withoutData } from './outcome.ts'

/** Node → when its life ends, by Redis's clock: the only clock that all nodes share. */
const ALIVE = redisKey('alive')

/** The largest token that was ever given. */
const LAST_TOKEN = redisKey('last-token')

/** A lease that nobody reasserts is forgotten after this. Far longer than `reassert` comes again. */
const FORGET_MS = 24 * 3_600_000

/** Leases written in one go after an outage. */
const REASSERT_CHUNK = 200

const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function text(n) return string.format('%.0f', n) end
local function alive(node)
  return tonumber(redis.call('ZSCORE', KEYS[1], node) or '0') > now
end
local function grant(key, holder, value)
  local token = text(math.max(t[1] * 1000000 + t[2], tonumber(redis.call('GET', KEYS[2]) or '0') + 1))
  redis.call('SET', KEYS[2], token)
  redis.call('HSET', key, 'holder', holder, 'token', token, 'value', value)
  redis.call('PEXPIRE', key, ${FORGET_MS})
  return token
end
`

const BEAT = `${CLOCK}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - ${FORGET_MS}))
return redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), ARGV[1])`

const CLAIM = `${CLOCK}
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), ARGV[1])
local l = redis.call('HMGET', KEYS[3], 'holder', 'token', 'value')
if l[1] and (l[1] == ARGV[1] or alive(l[1])) then return l end
return {ARGV[1], grant(KEYS[3], ARGV[1], ARGV[3]), ARGV[3]}`

const FIND = `${CLOCK}
local l = redis.call('HMGET', KEYS[2], 'holder', 'token', 'value')
if l[1] and alive(l[1]) then return l end
return false`

const RELEASE = `
local l = redis.call('HMGET', KEYS[1], 'holder', 'token')
if l[1] == ARGV[1] and l[2] == ARGV[2] then return redis.call('DEL', KEYS[1]) end
return 0`

/** Gives the token of each; nothing for what somebody else has. */
const REASSERT = `${CLOCK}
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), ARGV[1])
local tokens = {}
for i = 3, #KEYS do
  local token, value = ARGV[2 * i - 3], ARGV[2 * i - 2]
  local l = redis.call('HMGET', KEYS[i], 'holder', 'token')
  local known = tonumber(l[2])
  if l[1] == ARGV[1] and l[2] == token then
    redis.call('PEXPIRE', KEYS[i], ${FORGET_MS})
    tokens[i - 2] = token
  elseif known and known >= tonumber(token) then
    tokens[i - 2] = ''
  else
    tokens[i - 2] = grant(KEYS[i], ARGV[1], value)
  end
end
return tokens`

const PEERS = `${CLOCK}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(now), '+inf')`

/** What Redis leases are made with. */
export interface RedisLeasesOptions {
  readonly node: NodeId
  readonly redis: RedisConnection
  readonly lifeMs?: number
}

/** Leases in Redis, where each step is one script and so happens whole or not at all. */
export class RedisLeases implements Leases {
  readonly #node: NodeId
  readonly #redis: RedisConnection
  readonly #lifeMs: number

  constructor({ node, redis, lifeMs = LIFE_MS }: RedisLeasesOptions) {
    this.#node = node
    this.#redis = redis
    this.#lifeMs = lifeMs
  }

  async beat(): Promise<Result<void>> {
    return withoutData(
      await this.#redis.run((r) => r.eval(BEAT, 1, ALIVE, this.#node, this.#lifeMs)),
    )
  }

  async claim(key: string, value: string): Promise<Result<Claim>> {
    const row = await this.#redis.run((r) =>
      r.eval(CLAIM, 3, ALIVE, LAST_TOKEN, leaseKey(key), this.#node, this.#lifeMs, value),
    )
    if (!row.ok) return row
    const lease = leaseOf(row.data)
    return { ok: true, data: { lease, ours: lease.holder === this.#node } }
  }

  async find(key: string): Promise<Result<Lease | undefined>> {
    const row = await this.#redis.run((r) => r.eval(FIND, 2, ALIVE, leaseKey(key)))
    return row.ok ? { ok: true, data: row.data === null ? undefined : leaseOf(row.data) } : row
  }

  async release({ key, token }: Pick<Held, 'key' | 'token'>): Promise<Result<void>> {
    return withoutData(
      await this.#redis.run((r) => r.eval(RELEASE, 1, leaseKey(key), this.#node, token)),
    )
  }

  async reassert(held: readonly Held[]): Promise<Result<readonly (number | undefined)[]>> {
    const tokens: (number | undefined)[] = []
    for (let from = 0; from < held.length; from += REASSERT_CHUNK) {
      const chunk = held.slice(from, from + REASSERT_CHUNK)
      const keys = [ALIVE, LAST_TOKEN, ...chunk.map(({ key }) => leaseKey(key))]
      const args = chunk.flatMap(({ token, value }) => [token, value])
      const rows = await this.#redis.run((r) =>
        r.eval(REASSERT, keys.length, ...keys, this.#node, this.#lifeMs, ...args),
      )
      if (!rows.ok) return rows
      // The script gives one text for each key of the chunk.
      for (const token of rows.data as string[])
        tokens.push(token === '' ? undefined : Number(token))
    }
    return { ok: true, data: tokens }
  }

  async peers(): Promise<Result<readonly NodeId[]>> {
    const rows = await this.#redis.run((r) => r.eval(PEERS, 1, ALIVE))
    if (!rows.ok) return rows
    // The script gives names that nodes wrote.
    return { ok: true, data: (rows.data as NodeId[]).filter((node) => node !== this.#node) }
  }

  async resign(): Promise<Result<void>> {
    return withoutData(await this.#redis.run((r) => r.zrem(ALIVE, this.#node)))
  }
}

function leaseKey(key: string): string {
  return redisKey('lease', key)
}

/** A row of the scripts above: holder, token, value. */
function leaseOf(row: unknown): Lease {
  const [holder, token, value] = row as [NodeId, string, string]
  return { holder, token: Number(token), value }
}
