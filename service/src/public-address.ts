import { networkInterfaces } from 'node:os'

/**
 * The address to announce when none is configured: the first IPv4 address of a network interface,
 * loopback only where there is no other, since Firefox does not connect to a loopback candidate.
 */
export function findPublicAddress(interfaces = networkInterfaces()): string {
  const addresses = Object.values(interfaces).flatMap((list) => list ?? [])
  return (
    addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
  )
}
