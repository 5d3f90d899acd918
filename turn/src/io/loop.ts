import type { Socket } from 'node:net'
import type { Log } from '@parley/service'
import type { Allocation, Client, Transport } from '../core/allocation.ts'
import { countDrop } from '../core/counters.ts'
import { frameInPlace } from '../core/frame-in-place.ts'
import { frameForClient } from '../core/relay.ts'
import type { Command, Relayed } from '../core/server-state.ts'
import type { TurnServer } from '../core/server.ts'
import type { ClientRoute, DatagramPort, OpenDatagramPort } from '../ports.ts'
import type { Family, IpAddress } from '../wire/index.ts'
import { formatAddress, parseSocketAddress } from '../wire/index.ts'
import { RefusalLog } from './refusal-log.ts'
import { StreamClient } from './stream-client.ts'

const SWEEP_MS = 1_000

/** Connections of one address; many people may sit behind it. */
const MAX_STREAMS_PER_ADDRESS = 256

/** What the loop needs from outside. */
export interface LoopParts {
  readonly server: TurnServer
  readonly log: Log
  readonly random: (byteCount: number) => Uint8Array
  readonly openDatagramPort: OpenDatagramPort
  /** Memory in which a datagram may be changed while it is handled, and what lies before it. */
  readonly scratch?: ArrayBuffer | undefined
  /** Where relay sockets are bound. */
  readonly relayHosts: Readonly<Partial<Record<Family, string>>>
  /** Called once a second, after the sweep. */
  readonly onTick: () => void
}

/** Joins the core to sockets: packets in, commands and relayed packets out, one timer. */
export class TurnLoop {
  readonly #parts: LoopParts
  readonly #refusals: RefusalLog
  readonly #routes = new Map<number, ClientRoute>()
  readonly #streams = new Set<StreamClient>()
  readonly #streamsPerAddress = new Map<IpAddress, number>()
  readonly #relays = new Map<number, DatagramPort>()
  readonly #timer: NodeJS.Timeout
  #nextRoute = 0
  #isClosed = false

  constructor(parts: LoopParts) {
    this.#parts = parts
    this.#refusals = new RefusalLog(parts.log)
    this.#sweep()
    this.#timer = setInterval(() => {
      this.#guard(() => {
        this.#sweep()
      })
    }, SWEEP_MS)
  }

  /** Opens a datagram listener and gives back its port. */
  async listenForDatagrams(at: { readonly host: string; readonly port: number }): Promise<number> {
    const route = this.#nextRoute++
    const port = await this.#parts.openDatagramPort(at, (bytes, address, peerPort, host) => {
      this.#guard(() => {
        const client =
          this.#parts.server.datagramClient(route, address, peerPort) ??
          stranger(route, { address, port: peerPort, host: host ?? formatAddress(address) })
        this.#fromClient(client, bytes)
      })
    })
    this.#routes.set(route, {
      send: (client, bytes) =>
        port.send(bytes, { offset: 0, length: bytes.length }, client.endpoint),
      close: () => {
        port.close()
      },
    })
    return port.port
  }

  /** Takes over a connection that a stream listener accepted. */
  addStream(socket: Socket, transport: Transport): void {
    const host = socket.remoteAddress ?? ''
    const address = parseSocketAddress(host)
    const count = address === undefined ? 0 : (this.#streamsPerAddress.get(address) ?? 0)
    if (address === undefined || this.#isClosed || count >= MAX_STREAMS_PER_ADDRESS) {
      socket.destroy()
      return
    }
    this.#streamsPerAddress.set(address, count + 1)
    const route = this.#nextRoute++
    const endpoint = { address, port: socket.remotePort ?? 0, host }
    const stream = new StreamClient(
      socket,
      { transport, route, endpoint },
      {
        onFrame: (client, frame) => {
          this.#guard(() => {
            this.#fromClient(client, frame)
          })
        },
        onClosed: (client) => {
          this.#dropStream(stream, client)
        },
      },
      performance.now(),
    )
    this.#routes.set(route, stream)
    this.#streams.add(stream)
  }

  /** Closes every socket; idempotent. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    for (const route of this.#routes.values()) route.close()
    for (const relay of this.#relays.values()) relay.close()
    this.#routes.clear()
    this.#relays.clear()
  }

  #fromClient(client: Client, bytes: Uint8Array): void {
    const relayed = this.#parts.server.fromClient(client, bytes, performance.now())
    if (relayed) this.#deliver(relayed, bytes)
    this.#runCommands()
  }

  #deliver(relayed: Relayed, bytes: Uint8Array): void {
    if (relayed.to === 'peer') {
      const relay = this.#relays.get(relayed.allocation.id)
      if (!relay?.send(bytes, relayed, relayed.peer)) this.#countDrop('sendFailed')
      return
    }
    this.#sendToClient(relayed.allocation.client, this.#frame(relayed, bytes))
  }

  #frame(relayed: Relayed, bytes: Uint8Array): Uint8Array {
    const { scratch, random } = this.#parts
    const made = bytes.buffer === scratch ? frameInPlace(relayed, bytes) : undefined
    if (made) return made
    const payload = bytes.subarray(relayed.offset, relayed.offset + relayed.length)
    return frameForClient(relayed, payload, random)
  }

  #runCommands(): void {
    for (const command of this.#parts.server.takeCommands()) this.#run(command)
  }

  #run(command: Command): void {
    const { log } = this.#parts
    switch (command.type) {
      case 'sendToClient':
        this.#sendToClient(command.client, command.bytes)
        return
      case 'bindRelay':
        void this.#bindRelay(command.allocation)
        return
      case 'closeRelay':
        this.#relays.get(command.allocation.id)?.close()
        this.#relays.delete(command.allocation.id)
        return
      case 'reportCreated': {
        const { id, family, client, lifetimeS } = command.allocation
        log.debug({ allocation: id, transport: client.transport, family, lifetimeS }, 'allocated')
        return
      }
      case 'reportEnded':
        log.debug({ allocation: command.allocation.id, reason: command.reason }, 'allocation ended')
        return
      case 'reportRefusal':
        this.#refusals.note(command, performance.now())
    }
  }

  async #bindRelay(allocation: Allocation): Promise<void> {
    const { server, openDatagramPort, relayHosts, log } = this.#parts
    const host = relayHosts[allocation.family] ?? ''
    try {
      const relay = await openDatagramPort(
        { host, port: allocation.relayed.port },
        (bytes, address, port) => {
          this.#guard(() => {
            const from = { address, port }
            const relayed = server.fromPeer(allocation, from, bytes.length, performance.now())
            if (relayed) this.#deliver(relayed, bytes)
          })
        },
      )
      if (this.#isClosed) {
        relay.close()
        return
      }
      this.#relays.set(allocation.id, relay)
      server.relayBound(allocation, performance.now())
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken) log.warn({ error }, 'a relay socket could not be opened')
      server.relayFailed(allocation, isTaken ? 'portInUse' : 'other')
    }
    this.#guard(() => {
      this.#runCommands()
    })
  }

  #sendToClient(client: Client, bytes: Uint8Array): void {
    if (!this.#routes.get(client.route)?.send(client, bytes)) this.#countDrop('backlog')
  }

  #dropStream(stream: StreamClient, client: Client): void {
    const { address } = client.endpoint
    const left = (this.#streamsPerAddress.get(address) ?? 1) - 1
    if (left > 0) this.#streamsPerAddress.set(address, left)
    else this.#streamsPerAddress.delete(address)
    this.#streams.delete(stream)
    this.#routes.delete(client.route)
    this.#parts.server.clientGone(client)
    this.#runCommands()
  }

  #sweep(): void {
    const now = performance.now()
    this.#parts.server.sweep(now, Date.now())
    this.#runCommands()
    for (const stream of this.#streams) {
      const fault = stream.enforceLimits(now)
      if (fault) this.#parts.log.debug({ fault }, 'a stream client was closed')
    }
    this.#parts.onTick()
  }

  #countDrop(reason: 'sendFailed' | 'backlog'): void {
    countDrop(this.#parts.server.counters, reason)
  }

  /** A bug that one packet shows must not end everybody's calls. */
  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#parts.log.error({ error }, 'a packet could not be handled')
    }
  }
}

function stranger(route: number, endpoint: Client['endpoint']): Client {
  return { transport: 'udp', route, endpoint, allocation: undefined }
}
