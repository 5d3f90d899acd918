import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** A stream listener. */
export interface StreamListener {
  readonly port: number
  /** Takes no more connections; those that are open are their owner's. */
  close(): void
}

/** Accepts in all, per listener. Bounds what half-open connections and handshakes may hold. */
const MAX_CONNECTIONS = 16_384

/** Listens for TCP clients; rejects with the error of the system. */
export function openTcp(
  at: { readonly host: string; readonly port: number },
  onConnection: (socket: Socket) => void,
): Promise<StreamListener> {
  return listenForStreams(createServer(onConnection), at)
}

/** Binds a stream server for TURN clients. */
export function listenForStreams(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<StreamListener> {
  server.maxConnections = MAX_CONNECTIONS
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, ipv6Only: true }, () => {
      server.off('error', reject)
      // Accepting fails when descriptors run out; the next attempt may succeed.
      server.on('error', () => undefined)
      // A TCP server that listens always has an address object.
      const { port: boundPort } = server.address() as AddressInfo
      resolve({ port: boundPort, close: () => server.close() })
    })
  })
}
