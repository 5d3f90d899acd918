import type { Socket } from 'node:net'
import type { Log } from '@parley/service'
import type { Client, Relay, Transport } from '../core/allocation.ts'
import { relaysOf } from '../core/allocation.ts'
import type { Commons } from '../core/commons.ts'
import { frameInPlace } from '../core/frame-in-place.ts'
import { frameForClient } from '../core/relay.ts'
import type { Command, Relayed } from '../core/server-state.ts'
import type { TurnServer } from '../core/server.ts'
import type { ClientRoute, DatagramPort, OpenDatagramPort, StrayDatagram } from '../ports.ts'
import type { Family, IpAddress } from '../wire/index.ts'
import { formatAddress, parseSocketAddress } from '../wire/index.ts'
import { RefusalLog } from './refusal-log.ts'
import { StreamClient } from './stream-client.ts'

const SWEEP_MS = 1_000

/** Routes below are datagram listeners, numbered alike in every worker. */
const FIRST_STREAM_ROUTE = 0x1_0000

/** What the loop needs from outside. */
export interface LoopParts {
  readonly server: TurnServer
  readonly commons: Commons
  /** Milliseconds of a clock that every worker shares and that never goes back. */
  readonly clock: () => number
  readonly log: Log
  readonly random: (byteCount: number) => Uint8Array
  readonly openDatagramPort: OpenDatagramPort
  /** Memory in which a datagram may be changed while it is handled, and what lies before it. */
  readonly scratch?: ArrayBuffer | undefined
  /** Where relay sockets are bound. */
  readonly relayHosts: Readonly<Partial<Record<Family, string>>>
  /** Hands a datagram to the worker that has its client. */
  readonly forward: (owner: number, datagram: StrayDatagram) => void
}

/** Joins the core to sockets: packets in, commands and relayed packets out, one timer. */
export class TurnLoop {
  readonly #parts: LoopParts
  readonly #refusals: RefusalLog
  readonly #routes = new Map<number, ClientRoute>()
  readonly #streams = new Set<StreamClient>()
  readonly #relays = new Map<number, DatagramPort>()
  readonly #timer: NodeJS.Timeout
  #nextDatagramRoute = 0
  #nextRoute = FIRST_STREAM_ROUTE
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
  async listenForDatagrams(at: Parameters<OpenDatagramPort>[0]): Promise<number> {
    const route = this.#nextDatagramRoute++
    const port = await this.#parts.openDatagramPort(at, (bytes, address, peerPort, host) => {
      try {
        const client = this.#parts.server.datagramClient(route, address, peerPort)
        if (client) this.#fromClient(client, bytes)
        else this.#fromStranger({ bytes, address, port: peerPort, host, route })
      } catch (error) {
        this.#logBug(error)
      }
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

  /** Takes a datagram that came to another worker by mistake. */
  takeStray({ bytes, address, port, host, route }: StrayDatagram): void {
    this.#guard(() => {
      const client = this.#parts.server.datagramClient(route, address, port)
      this.#fromClient(
        client ?? stranger(route, { address, port, host: host ?? formatAddress(address) }),
        bytes,
      )
    })
  }

  /** Counts a connection against its address until it closes; `false` when it must not stay. */
  admitStream(socket: Socket): boolean {
    const address = parseSocketAddress(socket.remoteAddress ?? '')
    if (address === undefined || this.#isClosed || !this.#parts.commons.takeStream(address)) {
      return false
    }
    socket.once('close', () => {
      this.#parts.commons.releaseStream(address)
    })
    return true
  }

  /** Takes over a connection that was admitted and has shown what it speaks. */
  addStream(socket: Socket, transport: Transport): void {
    const host = socket.remoteAddress ?? ''
    const address = parseSocketAddress(host)
    if (address === undefined || this.#isClosed) {
      socket.destroy()
      return
    }
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
      this.#parts.clock(),
    )
    this.#routes.set(route, stream)
    this.#streams.add(stream)
  }

  /** Runs what the server ordered outside a packet, as when an operator ends sessions. */
  runCommands(): void {
    this.#runCommands()
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
    const relayed = this.#parts.server.fromClient(client, bytes, this.#parts.clock())
    if (relayed) this.#deliver(relayed, bytes)
    this.#runCommands()
  }

  /** A client without an allocation here may have one with another worker. */
  #fromStranger(datagram: StrayDatagram): void {
    const { bytes, address, port, host, route } = datagram
    const client = stranger(route, { address, port, host: host ?? formatAddress(address) })
    const owner = this.#parts.commons.otherOwner(client)
    if (owner === undefined) this.#fromClient(client, bytes)
    else this.#parts.forward(owner, { ...datagram, bytes: Uint8Array.from(bytes) })
  }

  #deliver(relayed: Relayed, bytes: Uint8Array): void {
    if (relayed.to === 'peer') {
      const relay = this.#relays.get(relayed.relay.id)
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
        void this.#bindRelay(command.relay)
        return
      case 'closeRelay':
        this.#relays.get(command.relay.id)?.close()
        this.#relays.delete(command.relay.id)
        return
      case 'reportCreated': {
        const { id, client, lifetimeS } = command.allocation
        const families = relaysOf(command.allocation).map(({ family }) => family)
        log.debug({ allocation: id, transport: client.transport, families, lifetimeS }, 'allocated')
        return
      }
      case 'reportEnded':
        log.debug({ allocation: command.allocation.id, reason: command.reason }, 'allocation ended')
        return
      case 'reportRefusal':
        this.#refusals.note(command, this.#parts.clock())
    }
  }

  async #bindRelay(relay: Relay): Promise<void> {
    const { server, openDatagramPort, relayHosts, clock, log } = this.#parts
    const host = relayHosts[relay.family] ?? ''
    // One object for every datagram; the core does not keep it.
    const from: { address: IpAddress; port: number } = { address: 0, port: 0 }
    try {
      const port = await openDatagramPort(
        { host, port: relay.relayed.port },
        (bytes, address, peerPort) => {
          from.address = address
          from.port = peerPort
          try {
            const relayed = server.fromPeer(relay, from, bytes.length, clock())
            if (relayed) this.#deliver(relayed, bytes)
          } catch (error) {
            this.#logBug(error)
          }
        },
      )
      if (this.#isClosed) {
        port.close()
        return
      }
      this.#relays.set(relay.id, port)
      server.relayBound(relay, clock())
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken) log.warn({ error }, 'a relay socket could not be opened')
      server.relayFailed(relay, isTaken ? 'portInUse' : 'other', clock())
    }
    this.#guard(() => {
      this.#runCommands()
    })
  }

  #sendToClient(client: Client, bytes: Uint8Array): void {
    if (!this.#routes.get(client.route)?.send(client, bytes)) this.#countDrop('backlog')
  }

  #dropStream(stream: StreamClient, client: Client): void {
    this.#streams.delete(stream)
    this.#routes.delete(client.route)
    this.#parts.server.clientGone(client)
    this.#runCommands()
  }

  #sweep(): void {
    const now = this.#parts.clock()
    this.#parts.server.sweep(now, Date.now())
    this.#runCommands()
    for (const stream of this.#streams) {
      const fault = stream.enforceLimits(now)
      if (fault) this.#parts.log.debug({ fault }, 'a stream client was closed')
    }
  }

  #countDrop(reason: 'sendFailed' | 'backlog'): void {
    this.#parts.commons.counters.countDrop(reason)
  }

  /** A bug that one packet shows must not end everybody's calls. */
  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#logBug(error)
    }
  }

  #logBug(error: unknown): void {
    this.#parts.log.error({ error }, 'a packet could not be handled')
  }
}

function stranger(route: number, endpoint: Client['endpoint']): Client {
  return { transport: 'udp', route, endpoint, allocation: undefined }
}
