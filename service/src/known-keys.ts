/**
 * Every environment key that any Parley process reads. One environment file serves all of them, so
 * a process refuses only keys that none of them knows: a typo stops the start, a neighbour's key
 * does not. `tools/rules.test.ts` holds this list against the setting tables.
 */
export const knownKeys: ReadonlySet<string> = new Set([
  'PARLEY_CACHE',
  'PARLEY_DEV',
  'PARLEY_HOST',
  'PARLEY_JWKS_URL',
  'PARLEY_LOG_LEVEL',
  'PARLEY_METRICS',
  'PARLEY_PORT',
  'PARLEY_PUBLIC_ADDRESS',
  'PARLEY_REDIS_URL',
  'PARLEY_RING_TIMEOUT',
  'PARLEY_SECRET',
  'PARLEY_SFU_CONTROL',
  'PARLEY_SFU_LISTEN',
  'PARLEY_SFU_NODES',
  'PARLEY_SFU_PORT',
  'PARLEY_SFU_SECRET',
  'PARLEY_SFU_WORKERS',
  'PARLEY_STUN_URLS',
  'PARLEY_TURN_ALLOW_PEERS',
  'PARLEY_TURN_DATAGRAMS',
  'PARLEY_TURN_DENY_PEERS',
  'PARLEY_TURN_EXTERNAL_ADDRESS',
  'PARLEY_TURN_LISTEN',
  'PARLEY_TURN_PORTS',
  'PARLEY_TURN_REALM',
  'PARLEY_TURN_RELAY_ADDRESS',
  'PARLEY_TURN_SECRET',
  'PARLEY_TURN_TLS_CERT',
  'PARLEY_TURN_TLS_KEY',
  'PARLEY_TURN_URLS',
  'PARLEY_TURN_WORKERS',
  'PARLEY_WEB_ROOT',
])
