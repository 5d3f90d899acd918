import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A TCP balancer, as stands before several signaling processes. */
export interface Balancer {
  readonly url: string
  close(): void
}

/** Carries each connection to the first of `ports` at which somebody listens. */
export async function balance(ports: readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>()
  const server = createServer((client) => {
    keep(open, client)
    void reach(ports).then((backend) => {
      if (!backend) {
        client.destroy()
        return
      }
      keep(open, backend)
      client.pipe(backend).pipe(client)
      client.once('close', () => backend.destroy())
      backend.once('close', () => client.destroy())
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server has an address object.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

async function reach(ports: readonly number[]): Promise<Socket | undefined> {
  for (const port of ports) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      socket.destroy()
    }
  }
  return undefined
}

function keep(open: Set<Socket>, socket: Socket): void {
  open.add(socket)
  socket.on('error', () => undefined)
  socket.once('close', () => open.delete(socket))
}
