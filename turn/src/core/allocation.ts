import type { Endpoint, EndpointKey, Family, IpAddress } from '../wire/index.ts'
import { endpointKey } from '../wire/index.ts'

/** RFC 8656 §3.2, §7.2: the default and the shortest lifetime, and our longest. */
export const DEFAULT_LIFETIME_S = 600
export const MAX_LIFETIME_S = 3_600
/** RFC 8656 §9. */
export const PERMISSION_LIFETIME_MS = 300_000
/** RFC 8656 §12. */
export const CHANNEL_LIFETIME_MS = 600_000

/** How a client reaches the server. */
export type Transport = 'udp' | 'tcp' | 'tls'

/**
 * The client side of a 5-tuple. `route` is the shell's number for the socket that reaches it: a
 * listener for datagrams, a connection for streams.
 */
export interface Client {
  readonly transport: Transport
  readonly route: number
  readonly endpoint: Endpoint
  /** Set while the 5-tuple has an allocation. */
  allocation: Allocation | undefined
}

/** A number bound to a peer's transport address. RFC 8656 §12. */
export interface Channel {
  readonly number: number
  readonly peer: Endpoint
  expiresAt: number
}

/** What an Allocate request creates. Times are the core's `now`. RFC 8656 §5. */
export interface Allocation {
  readonly id: number
  readonly client: Client
  /** Whose quota it counts against and who alone may change it. */
  readonly user: string
  readonly username: string
  /** The key that its requests are signed with while they carry `username`. */
  readonly integrityKey: Uint8Array
  readonly family: Family
  /** Its port must be even. */
  readonly even: boolean
  /** The Allocate's transaction id, to know a retransmission. RFC 8656 §7.2. */
  readonly transactionId: Uint8Array
  readonly lifetimeS: number
  /** Where peers see it: announced address and relay port. */
  relayed: Endpoint
  /** `binding` until the relay's socket is open. */
  phase: 'binding' | 'open' | 'ended'
  bindAttempts: number
  /** The answer to the Allocate, repeated for a retransmission. */
  response: Uint8Array | undefined
  expiresAt: number
  /** Address → end of its permission. RFC 8656 §9. */
  readonly permissions: Map<IpAddress, number>
  readonly channels: Map<number, Channel>
  readonly channelsByPeer: Map<EndpointKey, Channel>
}

/** What a ChannelBind comes to. RFC 8656 §12.2. */
export type BindOutcome = 'bound' | 'conflict' | 'full'

/** The lifetime that a request for `requestedS` gets. RFC 8656 §7.2, §8.2. */
export function grantedLifetimeS(requestedS: number | undefined): number {
  return Math.min(Math.max(requestedS ?? DEFAULT_LIFETIME_S, DEFAULT_LIFETIME_S), MAX_LIFETIME_S)
}

export function hasPermission(allocation: Allocation, address: IpAddress, now: number): boolean {
  const expiresAt = allocation.permissions.get(address)
  return expiresAt !== undefined && expiresAt > now
}

/** Installs or refreshes a permission; the caller has checked that there is room. */
export function grantPermission(allocation: Allocation, address: IpAddress, now: number): void {
  allocation.permissions.set(address, now + PERMISSION_LIFETIME_MS)
}

/** How many of the addresses would be new permissions. */
export function newPermissions(allocation: Allocation, addresses: ReadonlySet<IpAddress>): number {
  let count = 0
  for (const address of addresses) if (!allocation.permissions.has(address)) count++
  return count
}

/** Binds or refreshes a channel; a number and a peer have one binding at most. RFC 8656 §12.2. */
export function bindChannel(
  allocation: Allocation,
  { number, peer, maxChannels }: { number: number; peer: Endpoint; maxChannels: number },
  now: number,
): BindOutcome {
  dropExpiredChannels(allocation, now)
  const key = endpointKey(peer.address, peer.port)
  const byNumber = allocation.channels.get(number)
  const byPeer = allocation.channelsByPeer.get(key)
  if (byNumber !== byPeer) return 'conflict'
  if (byNumber) {
    byNumber.expiresAt = now + CHANNEL_LIFETIME_MS
    return 'bound'
  }
  if (allocation.channels.size >= maxChannels) return 'full'
  const channel = { number, peer, expiresAt: now + CHANNEL_LIFETIME_MS }
  allocation.channels.set(number, channel)
  allocation.channelsByPeer.set(key, channel)
  return 'bound'
}

/** Forgets what has run out. Uses check times themselves; this only gives the memory back. */
export function dropExpired(allocation: Allocation, now: number): void {
  for (const [address, expiresAt] of allocation.permissions) {
    if (expiresAt <= now) allocation.permissions.delete(address)
  }
  dropExpiredChannels(allocation, now)
}

function dropExpiredChannels(allocation: Allocation, now: number): void {
  for (const [number, channel] of allocation.channels) {
    if (channel.expiresAt > now) continue
    allocation.channels.delete(number)
    allocation.channelsByPeer.delete(endpointKey(channel.peer.address, channel.peer.port))
  }
}
