import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Health, Metrics, createLog } from '@parley/service'
import { readTurnConfig, startTurn } from '../src/index.ts'
import type { ListenerAddress, ListenerKind, TurnHandle, TurnSources } from '../src/index.ts'
import { batchedUdp } from '../src/io/batched-udp.ts'
import { TurnDialogue, codeOf, endpoint, relayedAddressOf, testSecret } from '../src/testing.ts'
import type { Endpoint, Message } from '../src/wire/index.ts'
import { StreamFramer } from '../src/wire/index.ts'

/** The datagram ports that can serve here: without a compiler there is only the pure one. */
export const datagramPathsHere = batchedUdp() ? (['pure', 'batched'] as const) : (['pure'] as const)

/** Where servers of these tests have listened: they relay to no such port, be it of another transport. */
const listened = new Set<number>()

/** Starts a server on free ports of loopback; `env` adds to or changes its settings. */
export async function startTestServer(
  env: Record<string, string> = {},
  sources: Partial<TurnSources> = {},
): Promise<TurnHandle> {
  const config = readTurnConfig({
    PARLEY_TURN_LISTEN: 'udp://127.0.0.1:0,tcp://127.0.0.1:0',
    PARLEY_TURN_SECRET: testSecret,
    PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1',
    PARLEY_LOG_LEVEL: 'silent',
    ...env,
  })
  const server = await startTurn(config, {
    log: createLog('turn', { level: 'silent' }),
    metrics: new Metrics(),
    health: new Health(),
    ...sources,
  })
  for (const { port } of server.listeners) listened.add(port)
  return server
}

/** The port of a transport's listener. */
export function portOf(server: TurnHandle, transport: ListenerKind): number {
  const listener = server.listeners.find((candidate) => candidate.transport === transport)
  if (!listener) throw new Error(`there is no ${transport} listener`)
  return listener.port
}

/** Something that receives byte strings in order and lets tests wait for the next one. */
export class Inbox {
  readonly #received: Buffer[] = []
  readonly #waiting: ((bytes: Buffer) => void)[] = []

  put(bytes: Uint8Array): void {
    const copy = Buffer.from(bytes)
    const next = this.#waiting.shift()
    if (next) next(copy)
    else this.#received.push(copy)
  }

  /** The oldest unread byte string, or the next one to come. */
  take(): Promise<Buffer> {
    const first = this.#received.shift()
    if (first) return Promise.resolve(first)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  get isEmpty(): boolean {
    return this.#received.length === 0
  }
}

/** A UDP socket on loopback, as a peer or as the carrier of a client. */
export class UdpEnd {
  readonly inbox = new Inbox()
  readonly #socket
  readonly #host: string

  private constructor(host: string) {
    this.#host = host
    this.#socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  }

  static async open(host = '127.0.0.1'): Promise<UdpEnd> {
    const end = new UdpEnd(host)
    end.#socket.on('message', (bytes) => {
      end.inbox.put(bytes)
    })
    end.#socket.bind(0, host)
    await once(end.#socket, 'listening')
    if (!listened.has(end.endpoint.port)) return end
    end.close()
    return UdpEnd.open(host)
  }

  get endpoint(): Endpoint {
    return endpoint(this.#host, this.#socket.address().port)
  }

  send(bytes: Uint8Array, to: Pick<Endpoint, 'host' | 'port'>): void {
    this.#socket.send(bytes, to.port, to.host)
  }

  close(): void {
    this.#socket.close()
  }
}

/** A TURN client over a real socket. */
export class TurnClient {
  readonly dialogue: TurnDialogue
  readonly inbox = new Inbox()
  readonly #send: (bytes: Uint8Array) => void
  readonly #close: () => void

  private constructor(
    identity: { readonly user: string; readonly secret?: string },
    carrier: { send: (bytes: Uint8Array) => void; close: () => void },
  ) {
    this.dialogue = new TurnDialogue(identity)
    this.#send = carrier.send
    this.#close = carrier.close
  }

  /** Reaches the UDP listener on `host`. */
  static async overUdp(
    server: TurnHandle,
    user = 'alice',
    host = '127.0.0.1',
  ): Promise<TurnClient> {
    const end = await UdpEnd.open(host)
    const isThere = (listener: ListenerAddress) =>
      listener.transport === 'udp' && listener.host === host
    const to = { host, port: server.listeners.find(isThere)?.port ?? portOf(server, 'udp') }
    const client = new TurnClient(
      { user },
      {
        send: (bytes) => {
          end.send(bytes, to)
        },
        close: () => {
          end.close()
        },
      },
    )
    void pipe(end.inbox, client.inbox)
    return client
  }

  static async overTcp(
    server: TurnHandle,
    user = 'alice',
    port = portOf(server, 'tcp'),
  ): Promise<TurnClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return TurnClient.#overStream(socket, { user })
  }

  static async overTls(
    server: TurnHandle,
    user = 'alice',
    port = portOf(server, 'tls'),
    secret = testSecret,
  ): Promise<TurnClient> {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['stun.turn'],
    })
    await once(socket, 'secureConnect')
    return TurnClient.#overStream(socket, { user, secret })
  }

  static #overStream(
    socket: Socket,
    identity: { readonly user: string; readonly secret?: string },
  ): TurnClient {
    const client = new TurnClient(identity, {
      send: (bytes) => socket.write(padded(bytes)),
      close: () => socket.destroy(),
    })
    const framer = new StreamFramer()
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      framer.push(chunk)
      for (let frame = framer.next(); frame; frame = framer.next()) client.inbox.put(frame)
    })
    return client
  }

  send(bytes: Uint8Array): void {
    this.#send(bytes)
  }

  /** Sends a request, once more when it is challenged, and gives back the code of the answer. */
  async ask(build: (dialogue: TurnDialogue) => Uint8Array): Promise<number> {
    return codeOf(await this.converse(build))
  }

  /** Allocates, and gives back the relayed address. */
  async allocate(): Promise<Endpoint> {
    const answer = await this.converse((dialogue) => dialogue.allocate())
    return relayedAddressOf(answer)
  }

  /** As {@link ask}, giving back the answer. */
  async converse(build: (dialogue: TurnDialogue) => Uint8Array): Promise<Message> {
    this.send(build(this.dialogue))
    const first = this.dialogue.absorb(await this.inbox.take())
    if (codeOf(first) !== 401 && codeOf(first) !== 438) return first
    this.send(build(this.dialogue))
    return this.dialogue.absorb(await this.inbox.take())
  }

  close(): void {
    this.#close()
  }
}

async function pipe(from: Inbox, to: Inbox): Promise<void> {
  for (;;) to.put(await from.take())
}

function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new Uint8Array(-bytes.length & 3)])
}
