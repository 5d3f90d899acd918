import type { IpAddress } from '../wire/index.ts'
import { parseAddress, unmapped } from '../wire/index.ts'

/** A block of addresses in CIDR notation; `text` is what the operator or this file wrote. */
export interface PeerRange {
  readonly text: string
  readonly base: IpAddress
  readonly prefixBits: number
}

/**
 * What a relay refuses unless told otherwise: everything that is not somebody else's public unicast
 * address. From the IANA special-purpose registries; tunnels to IPv4 (6to4, Teredo, NAT64) because
 * RFC 6156 §9.1 forbids them and because they spell refused IPv4 addresses anew.
 */
export const refusedByDefault: readonly PeerRange[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/32',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
].map(knownRange)

/** The addresses that lead to this machine whatever its interfaces are. */
export const loopbackRanges: readonly PeerRange[] = ['127.0.0.0/8', '::1'].map(knownRange)

/** Parses `10.0.0.0/8`, `fd00::/8` or a single address; `undefined` when it is none of them. */
export function parsePeerRange(text: string): PeerRange | undefined {
  const [addressText = '', bitsText, ...rest] = text.split('/')
  const written = parseAddress(addressText)
  if (written === undefined || rest.length > 0) return undefined
  const widest = typeof written === 'number' ? 32 : 128
  const writtenBits = bitsText === undefined ? widest : parseBits(bitsText, widest)
  if (writtenBits === undefined) return undefined
  const base = unmapped(written)
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8; a shorter prefix reaches beyond the mapped block.
  if (base !== written && writtenBits < 96) return { text, base: written, prefixBits: writtenBits }
  return { text, base, prefixBits: base === written ? writtenBits : writtenBits - 96 }
}

/** Whether the block holds the address; blocks of the other family hold none. */
export function rangeHolds({ base, prefixBits }: PeerRange, address: IpAddress): boolean {
  if (typeof base === 'number') {
    if (typeof address !== 'number') return false
    return prefixBits === 0 || (address ^ base) >>> (32 - prefixBits) === 0
  }
  if (typeof address !== 'string') return false
  const wholeBytes = prefixBits >>> 3
  for (let at = 0; at < wholeBytes; at++) {
    if (address.charCodeAt(at) !== base.charCodeAt(at)) return false
  }
  const restBits = prefixBits & 7
  if (restBits === 0) return true
  const difference = address.charCodeAt(wholeBytes) ^ base.charCodeAt(wholeBytes)
  return difference >>> (8 - restBits) === 0
}

function parseBits(text: string, widest: number): number | undefined {
  const bits = /^\d{1,3}$/.test(text) ? Number(text) : NaN
  return bits <= widest ? bits : undefined
}

function knownRange(text: string): PeerRange {
  const range = parsePeerRange(text)
  if (range === undefined) throw new Error(`${text} is not a range`)
  return range
}
