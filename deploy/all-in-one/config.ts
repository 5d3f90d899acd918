import { randomBytes } from 'node:crypto'
import { findPublicAddress } from '@parley/service'
import type { Environment } from '@parley/service'

/** Bytes of randomness in a secret that is made for one run. */
const SECRET_BYTES = 32

/**
 * Completes an environment so that one process can be the whole stack on a laptop: development mode,
 * secrets that last as long as the process, and a relay that may reach the SFU.
 */
export function embeddedEnvironment(env: Environment = process.env): Environment {
  const publicAddress = env['PARLEY_PUBLIC_ADDRESS'] ?? findPublicAddress()
  const { PARLEY_TURN_ALLOW_PEERS: allowed } = env
  return {
    ...env,
    PARLEY_DEV: env['PARLEY_DEV'] ?? '1',
    PARLEY_LOG_LEVEL: env['PARLEY_LOG_LEVEL'] ?? 'warn',
    PARLEY_PUBLIC_ADDRESS: publicAddress,
    PARLEY_TURN_ALLOW_PEERS: allowed ? `${allowed},${publicAddress}` : publicAddress,
    ...withSecret(env, 'PARLEY_SECRET'),
    ...withSecret(env, 'PARLEY_TURN_SECRET'),
  }
}

/** Makes a secret for this run, unless the environment holds one or names its file. */
function withSecret(env: Environment, key: string): Environment {
  if (env[key] ?? env[`${key}_FILE`]) return {}
  return { [key]: randomBytes(SECRET_BYTES).toString('base64url') }
}
