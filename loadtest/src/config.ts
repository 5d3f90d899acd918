import { readSettings, setting } from '@parley/service'
import type { Environment, Secret } from '@parley/service'

/** What the load tester reads from its environment; the rest is on the command line. */
const loadtestSettings = {
  secrets: setting.secrets('PARLEY_SECRET', {
    about: "Signs the callers' tokens, the first of them; the same as the server's.",
  }),
}

/** Throws `SettingsError` for a key that is bad or that nobody knows. */
export function readLoadtestConfig(env: Environment = process.env): {
  readonly secret: Secret | undefined
} {
  return { secret: readSettings(loadtestSettings, env).secrets[0] }
}

/** The environment of a Parley for one run: free ports, this machine only, development mode. */
export function ownStackEnvironment(env: Environment = process.env): NodeJS.ProcessEnv {
  return {
    ...env,
    PARLEY_HOST: '127.0.0.1',
    PARLEY_PORT: '0',
    PARLEY_PUBLIC_ADDRESS: '127.0.0.1',
    PARLEY_SFU_LISTEN: '127.0.0.1',
    PARLEY_SFU_PORT: '0',
    PARLEY_TURN_LISTEN: 'udp://127.0.0.1:0',
    PARLEY_DEV: '1',
  }
}
