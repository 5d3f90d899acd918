import type { IpAddress } from '../wire/index.ts'
import { wordAt } from '../wire/index.ts'

/** 32 bits of a text, keyed by `seed` so that outsiders cannot choose who collides. FNV-1a, mixed. */
export function hashText(text: string, seed: number): number {
  let hash = seed ^ 0x811c_9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193)
  }
  return mixed(hash)
}

/** 32 bits of an address: all of IPv4; the /64 of IPv6, which is one customer. */
export function hashAddress(address: IpAddress, seed: number): number {
  const value =
    typeof address === 'number'
      ? address
      : Math.imul(wordAt(address, 0), 0x9e37_79b1) ^ wordAt(address, 4)
  return mixed(value ^ seed)
}

/** 32 bits of a client's transport address and the listener that it came by. */
export function hashClient(
  { address, port }: { readonly address: IpAddress; readonly port: number },
  route: number,
  seed: number,
): number {
  const host = typeof address === 'number' ? mixed(address ^ seed) : hashText(address, seed)
  return mixed(host ^ (port + route * 0x1_0000))
}

function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
