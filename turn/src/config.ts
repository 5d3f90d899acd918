import { networkInterfaces } from 'node:os'
import type { Environment, HostPort, Secret } from '@parley/service'
import {
  StartError,
  findPublicAddress,
  logLevelSetting,
  readSettings,
  setting,
} from '@parley/service'
import type { PortRange } from './core/peer-policy.ts'
import type { PeerRange } from './core/peer-range.ts'
import { parsePeerRange } from './core/peer-range.ts'
import type { Limits, ServerConfig } from './core/server-state.ts'
import { defaultLimits } from './core/server-state.ts'
import type { AddressPair, ListenerAddress, UserSetting } from './setting-values.ts'
import { parseAddressPair, parseListeners, parsePortRange, parseUser } from './setting-values.ts'
import type { DatagramPath } from './io/datagrams.ts'
import { datagramPaths } from './io/datagrams.ts'
import type { Family } from './wire/index.ts'

/** Where relays of one family are bound, and under which address clients announce them. */
export interface RelayAddress {
  readonly host: string
  readonly announced: string
}

/** What a TURN server is started from; {@link readTurnConfig} makes one from the environment. */
export interface TurnConfig {
  readonly listeners: readonly ListenerAddress[]
  /** Whether the default TLS listener is missing because there is no certificate. */
  readonly isTlsLeftOut: boolean
  /** PEM files; every `tls` and `auto` listener needs them. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Newest first; any of them may have signed a credential. */
  readonly secrets: readonly Secret[]
  readonly users: readonly UserSetting[]
  readonly maxCredentialSeconds: number
  readonly endsWithCredential: boolean
  readonly realm: string
  readonly defaultFamily: ServerConfig['defaultFamily']
  readonly relays: Readonly<Partial<Record<Family, RelayAddress>>>
  readonly relayPorts: PortRange
  readonly allowPeers: readonly PeerRange[]
  readonly denyPeers: readonly PeerRange[]
  readonly limits: Limits
  /** Threads; `undefined` leaves it to whoever starts the server. */
  readonly workers: number | undefined
  readonly admin: { readonly address: HostPort; readonly token: Secret } | undefined
  /** Files that hold what a reload can change. */
  readonly watchedFiles: readonly string[]
  readonly datagrams: DatagramPath
  readonly metrics: HostPort | undefined
  readonly logLevel: string
}

const DEFAULT_LISTEN = 'udp://0.0.0.0:3478,tcp://0.0.0.0:3478,tls://0.0.0.0:5349'

const BYTES_PER_KILOBIT = 125

const addressList = {
  expected: 'IP addresses, at most one of each family, separated by commas',
  parse: parseAddressPair,
}
const rangeList = {
  fallback: [],
  expected: 'IP addresses or CIDR ranges, as 10.0.0.0/8 or fd00::/8, separated by commas',
  item: parsePeerRange,
}

/** Every setting of the TURN server. */
export const turnSettings = {
  listen: setting.custom<readonly ListenerAddress[] | undefined>('PARLEY_TURN_LISTEN', {
    about:
      'Where clients reach the server; auto takes plain and TLS clients on one TCP port. Without a certificate the default has no TLS.',
    fallback: undefined,
    defaultText: DEFAULT_LISTEN,
    expected: 'udp://, tcp://, tls:// or auto:// with host:port, separated by commas',
    parse: parseListeners,
  }),
  secrets: setting.secrets('PARLEY_TURN_SECRET', {
    about: 'Secrets that sign TURN credentials, newest first.',
  }),
  users: setting.secrets('PARLEY_TURN_USERS', {
    about:
      'Users whose passwords do not end, each name:password, beside or instead of signed credentials.',
  }),
  maxCredentialSeconds: setting.integer('PARLEY_TURN_MAX_CREDENTIAL_SECONDS', {
    about: 'Signed credentials that end later than this from now are refused.',
    fallback: 604_800,
    min: 60,
    max: 315_360_000,
  }),
  endsWithCredential: setting.flag('PARLEY_TURN_STRICT_EXPIRY', {
    about: 'Whether an allocation ends with its credential; otherwise running calls go on.',
    fallback: false,
  }),
  realm: setting.text('PARLEY_TURN_REALM', {
    about: 'Realm of the credentials.',
    fallback: 'parley',
  }),
  defaultFamily: setting.choice('PARLEY_TURN_DEFAULT_FAMILY', {
    about:
      'Family of a relay for which the client names none: ipv4, as the RFC says, or that of the client.',
    fallback: 'ipv4',
    words: ['ipv4', 'client'],
  }),
  relayAddress: setting.custom('PARLEY_TURN_RELAY_ADDRESS', {
    about: 'Address to which relays are bound, one for each family; found out when unset.',
    fallback: {},
    ...addressList,
  }),
  externalAddress: setting.custom('PARLEY_TURN_EXTERNAL_ADDRESS', {
    about: 'Address that clients announce for relays; PARLEY_PUBLIC_ADDRESS when unset.',
    fallback: {},
    ...addressList,
  }),
  publicAddress: setting.custom('PARLEY_PUBLIC_ADDRESS', {
    about: 'Address that media servers announce; found out when unset.',
    fallback: {},
    ...addressList,
  }),
  relayPorts: setting.custom<PortRange>('PARLEY_TURN_PORTS', {
    about: 'Ports of relays.',
    fallback: { first: 49_152, last: 65_535 },
    defaultText: '49152-65535',
    expected: 'a port range from 1024 to 65535, as 49152-65535',
    parse: parsePortRange,
  }),
  allowPeers: setting.list('PARLEY_TURN_ALLOW_PEERS', {
    about: 'Peers that relays may reach although they are not public, as the SFU.',
    ...rangeList,
  }),
  denyPeers: setting.list('PARLEY_TURN_DENY_PEERS', {
    about: 'Peers that relays may not reach; wins over what is allowed.',
    ...rangeList,
  }),
  userAllocations: setting.integer('PARLEY_TURN_USER_ALLOCATIONS', {
    about: 'Allocations that one user may hold.',
    fallback: defaultLimits.allocationsPerUser,
    min: 1,
    max: 65_536,
  }),
  totalAllocations: setting.integer('PARLEY_TURN_TOTAL_ALLOCATIONS', {
    about: 'Allocations that all users together may hold.',
    fallback: defaultLimits.allocations,
    min: 1,
    max: 131_072,
  }),
  userKbps: setting.integer('PARLEY_TURN_USER_KBPS', {
    about: 'Kilobits per second that one user may relay, both directions together; 0 for no limit.',
    fallback: 0,
    min: 0,
    max: 16_000_000,
  }),
  totalKbps: setting.integer('PARLEY_TURN_TOTAL_KBPS', {
    about: 'Kilobits per second that all users together may relay; 0 for no limit.',
    fallback: 0,
    min: 0,
    max: 16_000_000,
  }),
  workers: setting.integer('PARLEY_TURN_WORKERS', {
    about: 'Worker threads; when unset, one per core, and one within npm start.',
    fallback: undefined,
    min: 1,
    max: 256,
  }),
  admin: setting.hostPort('PARLEY_TURN_ADMIN', {
    about: 'Private address of the admin API: sessions, drain, reload.',
    fallback: undefined,
  }),
  adminToken: setting.secret('PARLEY_TURN_ADMIN_TOKEN', {
    about: 'Bearer token of the admin API.',
    minLength: 16,
  }),
  tlsCert: setting.text('PARLEY_TURN_TLS_CERT', {
    about: 'PEM file with the certificate chain of the TLS listeners.',
    fallback: undefined,
  }),
  tlsKey: setting.text('PARLEY_TURN_TLS_KEY', {
    about: 'PEM file with the key of that certificate.',
    fallback: undefined,
  }),
  datagrams: setting.choice<DatagramPath>('PARLEY_TURN_DATAGRAMS', {
    about:
      'How datagrams cross the kernel: one by one (pure), or in batches where the add-on is built.',
    fallback: 'auto',
    words: datagramPaths,
  }),
  metrics: setting.hostPort('PARLEY_METRICS', {
    about: 'Where /metrics, /healthz and /readyz are served.',
    fallback: undefined,
  }),
  logLevel: logLevelSetting,
}

/**
 * Reads the configuration. Throws `SettingsError` for a bad value and `StartError` for values that
 * do not go together.
 */
export function readTurnConfig(
  env: Environment = process.env,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): TurnConfig {
  const values = readSettings(turnSettings, env)
  if (values.secrets.length === 0 && values.users.length === 0) {
    throw new StartError(
      'PARLEY_TURN_SECRET is not set. Give it the secret with which signaling signs TURN credentials.',
    )
  }
  if (values.admin && !values.adminToken) {
    throw new StartError('PARLEY_TURN_ADMIN needs PARLEY_TURN_ADMIN_TOKEN, a token for its users.')
  }
  const tls = certificateFiles(values.tlsCert, values.tlsKey)
  const listeners = values.listen ?? parseListeners(DEFAULT_LISTEN)?.filter(reachable(tls)) ?? []
  if (!tls && listeners.some(({ transport }) => transport === 'tls' || transport === 'auto')) {
    throw new StartError(
      'PARLEY_TURN_LISTEN asks for TLS: set PARLEY_TURN_TLS_CERT and PARLEY_TURN_TLS_KEY, or leave tls:// and auto:// out.',
    )
  }
  const external = { ...values.publicAddress, ...values.externalAddress }
  return Object.freeze({
    listeners,
    isTlsLeftOut: values.listen === undefined && !tls,
    tls,
    secrets: values.secrets,
    users: readUsers(values.users),
    maxCredentialSeconds: values.maxCredentialSeconds,
    endsWithCredential: values.endsWithCredential,
    realm: values.realm,
    defaultFamily: values.defaultFamily,
    relays: relayAddresses(values.relayAddress, external, interfaces),
    relayPorts: values.relayPorts,
    allowPeers: values.allowPeers,
    denyPeers: values.denyPeers,
    limits: {
      ...defaultLimits,
      allocations: values.totalAllocations,
      allocationsPerUser: values.userAllocations,
      userBytesPerSecond: values.userKbps * BYTES_PER_KILOBIT,
      totalBytesPerSecond: values.totalKbps * BYTES_PER_KILOBIT,
    },
    workers: values.workers,
    admin:
      values.admin && values.adminToken
        ? { address: values.admin, token: values.adminToken }
        : undefined,
    watchedFiles: [
      values.tlsCert,
      values.tlsKey,
      env['PARLEY_TURN_SECRET_FILE'],
      env['PARLEY_TURN_USERS_FILE'],
    ].filter((file) => file !== undefined),
    datagrams: values.datagrams,
    metrics: values.metrics,
    logLevel: values.logLevel,
  })
}

function relayAddresses(
  bound: AddressPair,
  external: AddressPair,
  interfaces: ReturnType<typeof networkInterfaces>,
): TurnConfig['relays'] {
  const local = new Set(
    Object.values(interfaces).flatMap((list) => list?.map(({ address }) => address) ?? []),
  )
  const hosts: Partial<Record<Family, string>> = { ...bound }
  if (Object.keys(bound).length === 0) {
    // Behind a NAT the external address is not ours to bind.
    const own = external[4] !== undefined && local.has(external[4]) ? external[4] : undefined
    hosts[4] = own ?? findPublicAddress(interfaces)
  }
  const relays: Partial<Record<Family, RelayAddress>> = {}
  if (hosts[4] !== undefined) relays[4] = { host: hosts[4], announced: external[4] ?? hosts[4] }
  if (hosts[6] !== undefined) relays[6] = { host: hosts[6], announced: external[6] ?? hosts[6] }
  return relays
}

function readUsers(secrets: readonly Secret[]): readonly UserSetting[] {
  return secrets.map((secret) => {
    const user = parseUser(secret.reveal())
    if (user) return user
    throw new StartError('PARLEY_TURN_USERS must be name:password, separated by commas.')
  })
}

function reachable(tls: TurnConfig['tls']): (listener: ListenerAddress) => boolean {
  return ({ transport }) => transport !== 'tls' || tls !== undefined
}

function certificateFiles(
  certFile: string | undefined,
  keyFile: string | undefined,
): TurnConfig['tls'] {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile }
  if (certFile === undefined && keyFile === undefined) return undefined
  const missing = certFile === undefined ? 'PARLEY_TURN_TLS_CERT' : 'PARLEY_TURN_TLS_KEY'
  throw new StartError(`${missing} is not set; certificate and key go together.`)
}
