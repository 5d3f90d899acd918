import { fileURLToPath } from 'node:url'
import {
  findPublicAddress,
  formatHostPort,
  logLevelSetting,
  parseHostPort,
  readSettings,
  setting,
  SettingsError,
} from '@parley/service'
import type { Environment, SettingValues } from '@parley/service'
import { checkPeopleSettings, peopleSettings } from './people-settings.ts'

/** Where `npm run build` of the SDK leaves what browsers load. */
const BUILT_WEB_ROOT = fileURLToPath(new URL('../../client-sdk/dist', import.meta.url))

/** Shorter secrets can be guessed from one captured token. Characters. */
const SECRET_MIN_LENGTH = 16

/** Everything that the signaling service reads from its environment. */
export const signalingSettings = {
  host: setting.text('PARLEY_HOST', {
    about: 'Address that signaling listens on.',
    fallback: '0.0.0.0',
  }),
  port: setting.integer('PARLEY_PORT', {
    about: 'Port that signaling listens on; 0 takes a free one.',
    fallback: 3000,
    min: 0,
    max: 65_535,
  }),
  publicAddress: setting.text('PARLEY_PUBLIC_ADDRESS', {
    about: 'Address that clients reach SFU and TURN at; found out when unset.',
    fallback: undefined,
  }),
  secrets: setting.secrets('PARLEY_SECRET', {
    about: "Verifies users' tokens (HS256); several, comma-separated, while one follows another.",
    minLength: SECRET_MIN_LENGTH,
  }),
  jwksUrl: setting.custom<URL | undefined>('PARLEY_JWKS_URL', {
    about: "Verifies users' tokens by the public keys of an identity provider.",
    fallback: undefined,
    expected: 'an http or https URL',
    parse: (text) => (/^https?:/.test(text) && URL.canParse(text) ? new URL(text) : undefined),
  }),
  dev: setting.flag('PARLEY_DEV', {
    about: 'Development: hands out tokens to anybody and serves the demo page.',
    fallback: false,
  }),
  redisUrl: setting.custom<URL | undefined>('PARLEY_REDIS_URL', {
    about: 'Redis that several signaling processes share; without it one keeps all in memory.',
    fallback: undefined,
    expected: 'a redis or rediss URL, as redis://redis.example.org:6379',
    parse: (text) => (/^rediss?:/.test(text) && URL.canParse(text) ? new URL(text) : undefined),
  }),
  ringTimeoutS: setting.integer('PARLEY_RING_TIMEOUT', {
    about: 'Seconds after which an unanswered call ends.',
    fallback: 45,
    min: 1,
    max: 300,
  }),
  handshakesPerSecond: setting.integer('PARLEY_HANDSHAKES_PER_SECOND', {
    about: 'Connections let in per second; the others are told when to come back.',
    fallback: 500,
    min: 1,
    max: 1_000_000,
  }),
  sessionsPerAddress: setting.integer('PARLEY_SESSIONS_PER_ADDRESS', {
    about: 'Connections of one address (or IPv6 /64); its rates are measured by it, too.',
    fallback: 500,
    min: 1,
    max: 10_000_000,
  }),
  trustedProxies: setting.integer('PARLEY_TRUST_PROXY', {
    about: 'Proxies in front that append to X-Forwarded-For; 0 believes no such header.',
    fallback: 0,
    min: 0,
    max: 10,
  }),
  livenessS: setting.integer('PARLEY_LIVENESS', {
    about: 'Seconds in which a dead connection is noticed; fewer cost more traffic while idle.',
    fallback: 14,
    min: 2,
    max: 120,
  }),
  ...peopleSettings,
  turnUrls: setting.list('PARLEY_TURN_URLS', {
    about: 'TURN servers that clients are told; the public address on port 3478 when unset.',
    fallback: [],
    expected: 'comma-separated turn: or turns: URLs, as turn:turn.example.org:3478?transport=udp',
    item: (text) => (/^turns?:[^\s?]+(\?transport=(udp|tcp))?$/.test(text) ? text : undefined),
  }),
  stunUrls: setting.list('PARLEY_STUN_URLS', {
    about: 'STUN servers that clients are told; the public address on port 3478 when unset.',
    fallback: [],
    expected: 'comma-separated stun: URLs, as stun:turn.example.org:3478',
    item: (text) => (/^stuns?:[^\s?]+$/.test(text) ? text : undefined),
  }),
  turnSecrets: setting.secrets('PARLEY_TURN_SECRET', {
    about: 'Shared with the TURN servers; without it clients get no relay.',
  }),
  sfuNodes: setting.list('PARLEY_SFU_NODES', {
    about: 'Control addresses of the SFU nodes.',
    fallback: [],
    expected: 'comma-separated host:port',
    item: parseHostPort,
  }),
  sfuSecret: setting.secret('PARLEY_SFU_SECRET', {
    about: 'Authenticates the control link to SFU nodes.',
    minLength: SECRET_MIN_LENGTH,
  }),
  webRoot: setting.custom('PARLEY_WEB_ROOT', {
    about: 'Folder of the built SDK and demo.',
    fallback: BUILT_WEB_ROOT,
    defaultText: 'client-sdk/dist',
    expected: 'a folder',
    parse: (text) => text,
  }),
  logLevel: logLevelSetting,
}

type Values = SettingValues<typeof signalingSettings>

/** What signaling runs with: the table's values, with the found-out ones filled in. */
export interface SignalingConfig extends Omit<Values, 'publicAddress'> {
  readonly publicAddress: string
}

/** Reads the settings. Throws `SettingsError` when one is bad or when no token can be verified. */
export function readSignalingConfig(env: Environment = process.env): SignalingConfig {
  const values = readSettings(signalingSettings, env)
  if (values.secrets.length > 0 && values.jwksUrl) {
    throw new SettingsError([
      {
        key: 'PARLEY_JWKS_URL',
        value: values.jwksUrl.href,
        expected: 'only one of PARLEY_SECRET and it',
      },
    ])
  }
  if (values.secrets.length === 0 && (!values.jwksUrl || values.dev)) {
    throw new SettingsError([
      {
        key: 'PARLEY_SECRET',
        value: '',
        expected: `at least ${SECRET_MIN_LENGTH} characters, or PARLEY_JWKS_URL in its place`,
      },
    ])
  }
  if (values.sfuNodes.length > 0 && !values.sfuSecret) {
    throw new SettingsError([
      {
        key: 'PARLEY_SFU_SECRET',
        value: '',
        expected: 'the secret of the nodes in PARLEY_SFU_NODES',
      },
    ])
  }
  checkPeopleSettings(values)
  const publicAddress = values.publicAddress ?? findPublicAddress()
  return Object.freeze({
    ...values,
    publicAddress,
    turnUrls: values.turnUrls.length > 0 ? values.turnUrls : defaultTurnUrls(publicAddress),
    stunUrls: values.stunUrls.length > 0 ? values.stunUrls : [`stun:${turnHost(publicAddress)}`],
  })
}

function defaultTurnUrls(address: string): readonly string[] {
  const host = turnHost(address)
  return [`turn:${host}?transport=udp`, `turn:${host}?transport=tcp`]
}

function turnHost(address: string): string {
  return formatHostPort({ host: address, port: 3478 })
}
