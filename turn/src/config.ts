import { networkInterfaces } from 'node:os'
import type { Environment, HostPort, Secret } from '@parley/service'
import {
  StartError,
  findPublicAddress,
  logLevelSetting,
  parseHostPort,
  readSettings,
  setting,
} from '@parley/service'
import type { Transport } from './core/allocation.ts'
import type { PortRange } from './core/peer-policy.ts'
import type { PeerRange } from './core/peer-range.ts'
import { parsePeerRange } from './core/peer-range.ts'
import type { Limits } from './core/server-state.ts'
import { defaultLimits } from './core/server-state.ts'
import type { DatagramPath } from './io/datagrams.ts'
import { datagramPaths } from './io/datagrams.ts'
import type { Family } from './wire/index.ts'
import { familyOf, formatAddress, parseAddress } from './wire/index.ts'

/** Where clients reach the server. Port 0 takes any free one. */
export interface ListenerAddress extends HostPort {
  readonly transport: Transport
}

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
  /** PEM files; every `tls` listener needs them. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  /** Newest first; any of them may have signed a credential. */
  readonly secrets: readonly Secret[]
  readonly realm: string
  readonly relays: Readonly<Partial<Record<Family, RelayAddress>>>
  readonly relayPorts: PortRange
  readonly allowPeers: readonly PeerRange[]
  readonly denyPeers: readonly PeerRange[]
  readonly limits: Limits
  readonly datagrams: DatagramPath
  readonly metrics: HostPort | undefined
  readonly logLevel: string
}

const DEFAULT_LISTEN = 'udp://0.0.0.0:3478,tcp://0.0.0.0:3478,tls://0.0.0.0:5349'

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
    about: 'Where clients reach the server; without a certificate the default has no TLS.',
    fallback: undefined,
    defaultText: DEFAULT_LISTEN,
    expected: 'udp://, tcp:// or tls:// with host:port, separated by commas',
    parse: parseListeners,
  }),
  secrets: setting.secrets('PARLEY_TURN_SECRET', {
    about: 'Secrets that sign TURN credentials, newest first.',
  }),
  realm: setting.text('PARLEY_TURN_REALM', {
    about: 'Realm of the credentials.',
    fallback: 'parley',
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
  if (values.secrets.length === 0) {
    throw new StartError(
      'PARLEY_TURN_SECRET is not set. Give it the secret with which signaling signs TURN credentials.',
    )
  }
  const tls = certificateFiles(values.tlsCert, values.tlsKey)
  const listeners = values.listen ?? parseListeners(DEFAULT_LISTEN)?.filter(reachable(tls)) ?? []
  if (!tls && listeners.some(({ transport }) => transport === 'tls')) {
    throw new StartError(
      'PARLEY_TURN_LISTEN asks for TLS: set PARLEY_TURN_TLS_CERT and PARLEY_TURN_TLS_KEY, or leave tls:// out.',
    )
  }
  const external = { ...values.publicAddress, ...values.externalAddress }
  return Object.freeze({
    listeners,
    isTlsLeftOut: values.listen === undefined && !tls,
    tls,
    secrets: values.secrets,
    realm: values.realm,
    relays: relayAddresses(values.relayAddress, external, interfaces),
    relayPorts: values.relayPorts,
    allowPeers: values.allowPeers,
    denyPeers: values.denyPeers,
    limits: defaultLimits,
    datagrams: values.datagrams,
    metrics: values.metrics,
    logLevel: values.logLevel,
  })
}

type AddressPair = Readonly<Partial<Record<Family, string>>>

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

function parseListeners(text: string): readonly ListenerAddress[] | undefined {
  const listeners: ListenerAddress[] = []
  for (const part of text.split(',')) {
    const match = /^(udp|tcp|tls):\/\/(.+)$/.exec(part.trim())
    const address = parseHostPort(match?.[2] ?? '')
    if (!match || !address || parseAddress(address.host) === undefined) return undefined
    // The expression admits no other words.
    listeners.push({ transport: match[1] as Transport, ...address })
  }
  return listeners
}

function parseAddressPair(text: string): AddressPair | undefined {
  const pair: Partial<Record<Family, string>> = {}
  for (const part of text.split(',')) {
    const address = parseAddress(part.trim())
    if (address === undefined) return undefined
    const family = familyOf(address)
    if (pair[family] !== undefined || isUnspecified(address)) return undefined
    pair[family] = part.trim()
  }
  return pair
}

function isUnspecified(address: number | string): boolean {
  return formatAddress(address) === '0.0.0.0' || formatAddress(address) === '0:0:0:0:0:0:0:0'
}

function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2])
  return first >= 1024 && last <= 65_535 && first <= last ? { first, last } : undefined
}
