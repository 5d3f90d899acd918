import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { SocketAddress } from '../ports.ts'

/** A stream listener. */
export interface StreamListener {
  readonly port: number
  /** Takes no more connections; those that are open are their owner's. */
  close(): void
}

/** Accepts in all, per listener. Bounds what half-open connections and handshakes may hold. */
const MAX_CONNECTIONS = 16_384

/** Listens for TCP connections; rejects with the error of the system. */
export function listenForStreams(
  { host, port, isShared = false }: SocketAddress,
  onConnection: (socket: Socket) => void,
): Promise<StreamListener> {
  const server = createServer(onConnection)
  server.maxConnections = MAX_CONNECTIONS
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, ipv6Only: true, reusePort: isShared, exclusive: true }, () => {
      server.off('error', reject)
      // Accepting fails when descriptors run out; the next attempt may succeed.
      server.on('error', () => undefined)
      // A TCP server that listens always has an address object.
      const { port: boundPort } = server.address() as AddressInfo
      resolve({ port: boundPort, close: () => server.close() })
    })
  })
}
