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

/** Where to bind. With `reusePort`, threads share a port and the system spreads clients over them. */
export interface DatagramAddress {
  readonly host: string
  readonly port: number
  readonly reusePort?: boolean
}

/** Binds a datagram port; rejects with the error of the system. */
export type OpenDatagramPort = (
  at: DatagramAddress,
  onDatagram: OnDatagram,
) => Promise<DatagramPort>

/** The way to clients: one listener for all datagram clients, one connection for each stream. */
export interface ClientRoute {
  /** `false` when the client does not keep up or is gone. */
  send(client: Client, bytes: Uint8Array): boolean
  close(): void
}
