import type { Log } from '@parley/service'
import { formatHostPort, listenError } from '@parley/service'
import { Commons } from './core/commons.ts'
import type { CommonsMemory } from './core/commons.ts'
import { PeerPolicy } from './core/peer-policy.ts'
import type { PeerRange } from './core/peer-range.ts'
import type { Drain, Limits, ServerConfig } from './core/server-state.ts'
import { TurnServer } from './core/server.ts'
import type { Session, SessionSelector } from './core/sessions.ts'
import type { CredentialKeys } from './credential-store.ts'
import { CredentialStore } from './credential-store.ts'
import type { DatagramPath } from './io/datagrams.ts'
import { chooseDatagrams } from './io/datagrams.ts'
import { tellApart } from './io/first-byte.ts'
import { TurnLoop } from './io/loop.ts'
import type { StreamListener } from './io/tcp.ts'
import { listenForStreams } from './io/tcp.ts'
import type { Certificate, TlsDoor } from './io/tls.ts'
import { openTlsDoor } from './io/tls.ts'
import type { StrayDatagram } from './ports.ts'
import { randomPool } from './random-pool.ts'
import type { ListenerAddress } from './setting-values.ts'
import type { Family, IpAddress } from './wire/index.ts'

/** Read once: the packet path asks for the time. */
const threadOrigin = performance.timeOrigin

/** What can change while an engine runs, without ending sessions. */
export interface EngineKeys {
  readonly credentials: CredentialKeys
  readonly certificate: Certificate | undefined
  readonly allowPeers: readonly PeerRange[]
  readonly denyPeers: readonly PeerRange[]
}

/** Where relays of one family are bound, and how they are announced, as text and as values. */
export interface EngineRelay {
  readonly host: string
  readonly bound: IpAddress
  readonly announced: IpAddress
}

/** What one engine is started from; plain data, to be handed to threads. */
export interface EngineOptions {
  /** From 0. */
  readonly worker: number
  readonly listeners: readonly ListenerAddress[]
  /** Whether other workers listen on the same ports. */
  readonly sharesPorts: boolean
  readonly keys: EngineKeys
  readonly realm: string
  readonly defaultFamily: ServerConfig['defaultFamily']
  readonly endsWithCredential: boolean
  readonly maxCredentialMs: number
  readonly relays: Readonly<Partial<Record<Family, EngineRelay>>>
  readonly ownAddresses: readonly IpAddress[]
  readonly limits: Limits
  readonly datagrams: DatagramPath
  readonly memory: CommonsMemory
  /** 32 bytes, the same in every worker. */
  readonly nonceKey: Uint8Array
  readonly drain: Drain | undefined
}

/** A core with its sockets: all of a server, or one worker's share of it. */
export interface Engine {
  /** In the order of the options, with the ports that were bound. */
  readonly listeners: readonly ListenerAddress[]
  sessions(): readonly Session[]
  /** Gives back how many there were. */
  endSessions(selector: SessionSelector): number
  /** Turns new clients away; without a drain, takes them again. */
  drain(drain: Drain | undefined): void
  useKeys(keys: EngineKeys): void
  /** Takes a datagram that came to another worker by mistake. */
  takeStray(datagram: StrayDatagram): void
  /** Closes listeners, connections and relays; idempotent. */
  close(): void
}

/** What the thread lends to its engine. */
export interface EngineSources {
  readonly log: Log
  /** Hands a datagram to another worker, which has its client. */
  readonly forward: (owner: number, datagram: StrayDatagram) => void
}

/** Starts an engine. Rejects with `StartError`, and leaves nothing open, when it cannot listen. */
export async function startEngine(
  options: EngineOptions,
  { log, forward }: EngineSources,
): Promise<Engine> {
  const { keys, relays, limits, memory, realm } = options
  const datagrams = chooseDatagrams(options.datagrams)
  const random = randomPool()
  const commons = new Commons(memory, options.worker, limits)
  const policy = new PeerPolicy({
    allow: keys.allowPeers,
    deny: keys.denyPeers,
    ownAddresses: options.ownAddresses,
    relayAddresses: familyValues(relays, ({ announced }) => announced),
    relayPorts: memory.ports,
  })
  const credentials = new CredentialStore(keys.credentials, {
    realm,
    maxLifetimeMs: options.maxCredentialMs,
    decoy: Buffer.from(random(16)).toString('base64'),
  })
  const server = new TurnServer({
    realm,
    announced: byFamily(relays, ({ announced }) => announced),
    bound: byFamily(relays, ({ bound }) => bound),
    defaultFamily: options.defaultFamily,
    endsWithCredential: options.endsWithCredential,
    policy,
    limits,
    commons,
    nonceKey: options.nonceKey,
    credentials,
    random,
  })
  server.drain(options.drain)
  const loop = new TurnLoop({
    server,
    commons,
    clock: sharedClock,
    log,
    random,
    openDatagramPort: datagrams.open,
    scratch: datagrams.scratch,
    relayHosts: byFamily(relays, ({ host }) => host),
    forward,
  })
  const tlsDoor =
    keys.certificate &&
    openTlsDoor(keys.certificate, {
      onClient: (socket) => {
        loop.addStream(socket, 'tls')
      },
    })
  const streamListeners: StreamListener[] = []
  const close = () => {
    for (const listener of streamListeners) listener.close()
    loop.close()
  }
  const listeners: ListenerAddress[] = []
  for (const address of options.listeners) {
    try {
      const port = await listenAt(address, { options, loop, tlsDoor, streamListeners })
      policy.addListenerPort(port)
      listeners.push({ ...address, port })
    } catch (error) {
      close()
      // Sockets reject with nothing but errors of the system.
      const systemError = error as NodeJS.ErrnoException
      const name = `${address.transport}://${formatHostPort(address)}`
      throw listenError(systemError, name, 'PARLEY_TURN_LISTEN')
    }
  }
  return {
    listeners,
    sessions: () => server.sessions(),
    endSessions: (selector) => {
      const count = server.endSessions(selector)
      loop.runCommands()
      return count
    },
    drain: (drain) => {
      server.drain(drain)
    },
    useKeys: (next) => {
      credentials.replaceKeys(next.credentials)
      policy.replaceRules(next)
      if (next.certificate) tlsDoor?.useCertificate(next.certificate)
    },
    takeStray: (datagram) => {
      loop.takeStray(datagram)
    },
    close,
  }
}

async function listenAt(
  { transport, host, port }: ListenerAddress,
  {
    options,
    loop,
    tlsDoor,
    streamListeners,
  }: {
    options: EngineOptions
    loop: TurnLoop
    tlsDoor: TlsDoor | undefined
    streamListeners: StreamListener[]
  },
): Promise<number> {
  const at = { host, port, isShared: options.sharesPorts }
  if (transport === 'udp') return loop.listenForDatagrams(at)
  const listener = await listenForStreams(at, (socket) => {
    if (!loop.admitStream(socket)) socket.destroy()
    else if (transport === 'tcp') loop.addStream(socket, 'tcp')
    else if (transport === 'tls') tlsDoor?.take(socket)
    else {
      tellApart(socket, {
        onKnown: (known, spoken) => {
          // The TLS layer reads what is there by itself.
          if (spoken === 'tls') {
            tlsDoor?.take(known)
            return
          }
          loop.addStream(known, 'tcp')
          known.resume()
        },
      })
    }
  })
  streamListeners.push(listener)
  return listener.port
}

/** Milliseconds that rise alike in every thread, which `performance.now()` alone does not. */
function sharedClock(): number {
  return threadOrigin + performance.now()
}

function byFamily<T, V>(
  values: Readonly<Partial<Record<Family, T>>>,
  of: (value: T) => V,
): Partial<Record<Family, V>> {
  const result: Partial<Record<Family, V>> = {}
  if (values[4] !== undefined) result[4] = of(values[4])
  if (values[6] !== undefined) result[6] = of(values[6])
  return result
}

function familyValues<T, V>(
  values: Readonly<Partial<Record<Family, T>>>,
  of: (value: T) => V,
): readonly V[] {
  return Object.values(byFamily(values, of))
}
