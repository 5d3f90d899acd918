import { createSocket } from 'node:dgram'
import type { RemoteInfo } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { DatagramPart, DatagramPort, OnDatagram, SocketAddress } from '../ports.ts'
import type { Endpoint } from '../wire/index.ts'
import { parseSocketAddress } from '../wire/index.ts'

/** Larger rides out longer pauses of the event loop; the system caps it (`net.core.rmem_max`). */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024

/** The pure datagram port: Node's sockets, one system call for each datagram. */
export function openUdp(at: SocketAddress, onDatagram: OnDatagram): Promise<DatagramPort> {
  const family = isIPv6(at.host) ? 6 : 4
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // An IPv6 socket must not reach IPv4 peers by their mapped spelling.
    ipv6Only: family === 6,
    reusePort: at.isShared === true,
    recvBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
    // Hosts are addresses already; the default looks each one up and defers the send.
    lookup: (host, _options, done) => done(null, host, family),
  })
  socket.on('message', (bytes: Buffer, { address: host, port }: RemoteInfo) => {
    const address = parseSocketAddress(host)
    // Nothing can be sent to port 0, so nothing is taken from it.
    if (address !== undefined && port !== 0) onDatagram(bytes, address, port, host)
  })
  return new Promise((resolve, reject) => {
    const onBindError = (error: Error) => {
      // A socket that could not be bound holds a descriptor all the same.
      socket.close()
      reject(error)
    }
    socket.once('error', onBindError)
    socket.bind({ address: at.host, port: at.port, exclusive: true }, () => {
      socket.off('error', onBindError)
      // Failed sends end here: too large, no route, a full buffer. A relay may lose datagrams.
      socket.on('error', () => undefined)
      let open = true
      resolve({
        port: socket.address().port,
        send(bytes: Uint8Array, { offset, length }: DatagramPart, { port, host }: Endpoint) {
          if (!open) return false
          try {
            socket.send(bytes, offset, length, port, host)
            return true
          } catch {
            // Node throws, rather than reports, what it can tell from the arguments.
            return false
          }
        },
        close() {
          if (!open) return
          open = false
          socket.close()
        },
      })
    })
  })
}
