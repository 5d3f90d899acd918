import type { Client } from './core/allocation.ts'
import type { Endpoint, IpAddress } from './wire/index.ts'

/** A socket for datagrams, whether one system call carries one of them or many. */
export interface DatagramPort {
  readonly port: number
  /**
   * Sends a part of `bytes`, which must stay as they are. `false` when the socket cannot: a
   * datagram may be lost, so nobody waits for it.
   */
  send(bytes: Uint8Array, part: DatagramPart, to: Endpoint): boolean
  close(): void
}

/** Where a payload lies. */
export interface DatagramPart {
  readonly offset: number
  readonly length: number
}

/**
 * Takes a datagram. Its bytes are the receiver's until it returns. `host` is the sender's address as
 * the socket spells it, where it spells it.
 */
export type OnDatagram = (
  bytes: Uint8Array,
  address: IpAddress,
  port: number,
  host?: string,
) => void

/** Where a socket is bound. Port 0 takes any free one. */
export interface SocketAddress {
  readonly host: string
  readonly port: number
  /** Whether other workers listen there too; the system keeps each client with one of them. */
  readonly isShared?: boolean
}

/** Binds a datagram port; rejects with the error of the system. */
export type OpenDatagramPort = (at: SocketAddress, onDatagram: OnDatagram) => Promise<DatagramPort>

/** The way to clients: one listener for all datagram clients, one connection for each stream. */
export interface ClientRoute {
  /** `false` when the client does not keep up or is gone. */
  send(client: Client, bytes: Uint8Array): boolean
  close(): void
}

/** A datagram that came to a worker that does not have its client. Plain data. */
export interface StrayDatagram {
  readonly bytes: Uint8Array
  readonly address: IpAddress
  readonly port: number
  readonly host: string | undefined
  /** The listener that it came by. */
  readonly route: number
}
