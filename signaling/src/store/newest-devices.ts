/** Where a script keeps what is of a user's devices: expressions of Lua. */
export interface DeviceNote {
  /** Keys of the hash of values by device, and of the sorted set of when each came. */
  readonly values: string
  readonly order: string
  readonly device: string
  readonly value: string
  /** Devices at most. */
  readonly most: string
}

/**
 * Part of a Redis script: notes what is of a device, and forgets the devices that were noted longest ago
 * where there are too many, as anybody with a session can name new ones.
 */
export function noteDevice({ values, order, device, value, most }: DeviceNote): string {
  return `
local t = redis.call('TIME')
redis.call('HSET', ${values}, ${device}, ${value})
redis.call('ZADD', ${order}, string.format('%.0f', t[1] * 1000000 + t[2]), ${device})
local surplus = redis.call('ZCARD', ${order}) - tonumber(${most})
if surplus > 0 then
  for _, one in ipairs(redis.call('ZRANGE', ${order}, 0, surplus - 1)) do
    redis.call('HDEL', ${values}, one)
    redis.call('ZREM', ${order}, one)
  end
end`
}
