import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { Health, Log, Metrics } from '@parley/service'
import { formatHostPort, listenError } from '@parley/service'
import type { ListenerAddress, TurnConfig } from './config.ts'
import { PeerPolicy } from './core/peer-policy.ts'
import type { ServerConfig } from './core/server-state.ts'
import { TurnServer } from './core/server.ts'
import { checkUsername, passwordFor } from './credentials.ts'
import { chooseDatagrams } from './io/datagrams.ts'
import { TurnLoop } from './io/loop.ts'
import type { StreamListener } from './io/tcp.ts'
import { openTcp } from './io/tcp.ts'
import type { Certificate } from './io/tls.ts'
import { loadCertificate, openTls } from './io/tls.ts'
import { randomPool } from './random-pool.ts'
import { publishMetrics } from './telemetry.ts'
import type { Family, IpAddress } from './wire/index.ts'
import { longTermKey, parseAddress, parseSocketAddress } from './wire/index.ts'

const HEALTH_PART = 'turn'

/** What the process lends to the server. */
export interface TurnSources {
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
}

/** Totals since the start. Bytes and packets are payloads, in both directions. */
export interface TurnStats {
  readonly allocations: number
  readonly packetsToPeer: number
  readonly bytesToPeer: number
  readonly packetsToClient: number
  readonly bytesToClient: number
  /** Packets that came to nothing, for whatever reason. */
  readonly dropped: number
}

/** A running TURN server. */
export interface TurnHandle {
  /** In the order of the configuration, with the ports that were bound. */
  readonly listeners: readonly ListenerAddress[]
  stats(): TurnStats
  /** Closes listeners, connections and relays; idempotent. */
  close(): Promise<void>
}

/**
 * Starts a TURN server. Rejects with `StartError`, and leaves nothing open, when a listener cannot be
 * bound or certificate and key do not fit.
 */
export async function startTurn(
  config: TurnConfig,
  { log, metrics, health }: TurnSources,
): Promise<TurnHandle> {
  health.notReady(HEALTH_PART, 'starting')
  const certificate = config.tls && loadCertificate(config.tls.certFile, config.tls.keyFile)
  if (config.isTlsLeftOut) {
    log.info('no TLS: set PARLEY_TURN_TLS_CERT and PARLEY_TURN_TLS_KEY to serve clients over TLS')
  }
  const datagrams = chooseDatagrams(config.datagrams)
  log.info({ path: datagrams.path }, 'datagrams')
  const random = randomPool()
  const serverConfig = coreConfig(config, random)
  const server = new TurnServer(serverConfig)
  const loop = new TurnLoop({
    server,
    log,
    random,
    openDatagramPort: datagrams.open,
    scratch: datagrams.scratch,
    relayHosts: relayHosts(config),
    onTick: publishMetrics(metrics, server),
  })
  const streamListeners: StreamListener[] = []
  const close = () => {
    health.notReady(HEALTH_PART, 'stopped')
    for (const listener of streamListeners) listener.close()
    loop.close()
    return Promise.resolve()
  }
  const listeners: ListenerAddress[] = []
  for (const address of config.listeners) {
    try {
      const port = await open(address, { loop, certificate, streamListeners })
      serverConfig.policy.addListenerPort(port)
      listeners.push({ ...address, port })
      log.info({ transport: address.transport, port }, 'listening')
    } catch (error) {
      await close()
      // Sockets reject with nothing but errors of the system.
      const systemError = error as NodeJS.ErrnoException
      throw listenError(systemError, nameOf(address), 'PARLEY_TURN_LISTEN')
    }
  }
  health.ready(HEALTH_PART)
  return {
    listeners,
    stats: () => {
      const { packetsToPeer, bytesToPeer, packetsToClient, bytesToClient } = server.counters
      return {
        allocations: server.allocationCount,
        packetsToPeer,
        bytesToPeer,
        packetsToClient,
        bytesToClient,
        dropped: [...server.counters.drops.values()].reduce((sum, count) => sum + count, 0),
      }
    },
    close,
  }
}

async function open(
  address: ListenerAddress,
  {
    loop,
    certificate,
    streamListeners,
  }: {
    loop: TurnLoop
    certificate: Certificate | undefined
    streamListeners: StreamListener[]
  },
): Promise<number> {
  const { transport } = address
  if (transport === 'udp') return loop.listenForDatagrams(address)
  const listener =
    transport === 'tls' && certificate
      ? await openTls(address, certificate, (socket) => {
          loop.addStream(socket, 'tls')
        })
      : await openTcp(address, (socket) => {
          loop.addStream(socket, 'tcp')
        })
  streamListeners.push(listener)
  return listener.port
}

function coreConfig(config: TurnConfig, random: ServerConfig['random']): ServerConfig {
  const announced: Partial<Record<Family, IpAddress>> = {}
  const relayAddresses: IpAddress[] = []
  for (const family of [4, 6] as const) {
    const relay = config.relays[family]
    const address = relay && parseAddress(relay.announced)
    if (address === undefined) continue
    announced[family] = address
    relayAddresses.push(address)
  }
  const secrets = config.secrets.map((secret) => secret.reveal())
  const { realm, relayPorts, limits, allowPeers, denyPeers } = config
  return {
    realm,
    announced,
    relayPorts,
    limits,
    random,
    nonceKey: randomBytes(32),
    policy: new PeerPolicy({
      allow: allowPeers,
      deny: denyPeers,
      ownAddresses: ownAddresses(config),
      relayAddresses,
      relayPorts,
    }),
    credentials: (username, wallMs) => {
      const check = checkUsername(username, wallMs)
      return {
        user: check.ok ? check.user : undefined,
        keys: secrets.map((secret) => longTermKey(username, realm, passwordFor(username, secret))),
      }
    },
  }
}

/** Every address that leads to this machine, as far as it can know. */
function ownAddresses({ relays, listeners }: TurnConfig): readonly IpAddress[] {
  const texts = [
    ...Object.values(networkInterfaces()).flatMap((list) => list?.map((i) => i.address) ?? []),
    ...Object.values(relays).flatMap(({ host, announced }) => [host, announced]),
    ...listeners.map(({ host }) => host),
  ]
  return texts.map(parseSocketAddress).filter((address) => address !== undefined)
}

function relayHosts({ relays }: TurnConfig): Partial<Record<Family, string>> {
  const hosts: Partial<Record<Family, string>> = {}
  if (relays[4]) hosts[4] = relays[4].host
  if (relays[6]) hosts[6] = relays[6].host
  return hosts
}

function nameOf(address: ListenerAddress): string {
  return `${address.transport}://${formatHostPort(address)}`
}
