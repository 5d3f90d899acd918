import type { AddressInfo, Server } from 'node:net'
import type { HostPort } from './settings.ts'
import { formatHostPort } from './settings.ts'
import { StartError } from './start-error.ts'

/**
 * Binds a stream server and gives back its port. A port in use or an address that is not ours
 * becomes a {@link StartError} that names the environment key to change.
 */
export function listen(server: Server, address: HostPort, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenError(error, formatHostPort(address), key))
    })
    server.listen(address.port, address.host, () => {
      server.removeAllListeners('error')
      // A TCP server that listens always has an address object.
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Words for a failed bind of `address`, which `key` configures. */
export function listenError(
  error: NodeJS.ErrnoException,
  address: string,
  key: string,
): StartError {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(
        `${address} is already in use. Stop the other process, or set ${key} to a free one.`,
      )
    case 'EADDRNOTAVAIL':
      return new StartError(`${address} is not an address of this machine. Change ${key}.`)
    case 'EACCES':
      return new StartError(
        `${address} needs privileges that this process lacks. Use a port above 1023 in ${key}.`,
      )
    default:
      return new StartError(`${address} cannot be listened on (${error.message}). Check ${key}.`)
  }
}
