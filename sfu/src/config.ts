import { availableParallelism } from 'node:os'
import {
  findPublicAddress,
  logLevelSetting,
  readSettings,
  setting,
  SettingsError,
} from '@parley/service'
import type { Environment, SettingValues } from '@parley/service'

const LAST_PORT = 65_535

/** The node's settings. */
export const sfuSettings = {
  listen: setting.text('PARLEY_SFU_LISTEN', {
    about: 'Address that media is taken on.',
    fallback: '0.0.0.0',
  }),
  firstPort: setting.integer('PARLEY_SFU_PORT', {
    about: 'First media port. Each worker takes one, UDP and TCP. 0: any free ones.',
    fallback: 10_000,
    min: 0,
    max: LAST_PORT,
  }),
  workers: setting.integer('PARLEY_SFU_WORKERS', {
    about: 'Media workers. Unset: one per core.',
    fallback: undefined,
    min: 1,
    max: 256,
  }),
  control: setting.hostPort('PARLEY_SFU_CONTROL', {
    about: 'Address of the control link, for a node that runs alone. Keep it off the internet.',
    fallback: { host: '127.0.0.1', port: 4_000 },
  }),
  secret: setting.secret('PARLEY_SFU_SECRET', {
    about: 'Shared with signaling: authenticates the control link.',
    minLength: 16,
  }),
  publicAddress: setting.text('PARLEY_PUBLIC_ADDRESS', {
    about: 'Address or host name that clients reach. Unset: that of the first network interface.',
    fallback: undefined,
  }),
  metrics: setting.hostPort('PARLEY_METRICS', {
    about: 'Where /metrics, /healthz and /readyz are served. Unset: nowhere.',
    fallback: undefined,
  }),
  logLevel: logLevelSetting,
}

/** The node's settings, checked, with what was left open found out. */
export type SfuConfig = SettingValues<typeof sfuSettings> & {
  readonly publicAddress: string
  readonly workers: number
}

/** Reads the settings. Throws {@link SettingsError}. */
export function readSfuConfig(env: Environment = process.env): SfuConfig {
  const config = readSettings(sfuSettings, env)
  const { firstPort, workers = availableParallelism() } = config
  if (firstPort !== 0 && firstPort + workers - 1 > LAST_PORT) {
    throw new SettingsError([
      {
        key: sfuSettings.firstPort.env,
        value: String(firstPort),
        expected: `at most ${LAST_PORT + 1 - workers}, so that ${workers} workers have a port each`,
      },
    ])
  }
  const publicAddress = config.publicAddress ?? findPublicAddress()
  return Object.freeze({ ...config, workers, publicAddress })
}
