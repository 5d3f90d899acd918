/**
 * The limit for a relay on Node's sockets: as `forwarder/forwarder.cpp`, with the socket options of our
 * pure path and nothing per datagram but a look-up.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'

const HOST = '127.0.0.1'
const HELLO_BYTES = 2

interface Client {
  readonly relay: Socket
  peerPort: number
}

const clients = new Map<number, Client>()
const listener = open()
listener.on('message', (bytes, { port }) => {
  const known = clients.get(port)
  const client = known && bytes.length !== HELLO_BYTES ? known : welcome(bytes, port)
  client.relay.send(bytes, 0, bytes.length, client.peerPort, HOST)
})
listener.bind(0, HOST, () => process.stdout.write(`${listener.address().port}\n`))

/** Takes a client whose datagram names the peer's port. */
function welcome(bytes: Buffer, port: number): Client {
  const known = clients.get(port)
  if (known) {
    known.peerPort = bytes.readUInt16BE(0)
    return known
  }
  const relay = open()
  relay.on('message', (back) => {
    listener.send(back, 0, back.length, port, HOST)
  })
  relay.bind(0, HOST)
  const client = { relay, peerPort: bytes.readUInt16BE(0) }
  clients.set(port, client)
  return client
}

function open(): Socket {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4 * 1024 * 1024,
    sendBufferSize: 4 * 1024 * 1024,
    // Hosts are addresses already; the default looks each one up and defers the send.
    lookup: (host, _options, done) => {
      done(null, host, 4)
    },
  })
  socket.on('error', () => undefined)
  return socket
}
