import type {
  Endpoint,
  EndpointKey,
  Family,
  IntegrityHash,
  IpAddress,
  PasswordAlgorithm,
} from '../wire/index.ts'
import { endpointKey, familyOf } from '../wire/index.ts'
import type { StunError } from './stun-errors.ts'

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

/** How a relay's port was chosen, which decides whether another would do. */
export type PortChoice = 'any' | 'even' | 'pair' | 'redeemed'

/** One relayed transport address of an allocation; a dual allocation has two. RFC 8656 §5, §7.2. */
export interface Relay {
  /** Unique within one core. */
  readonly id: number
  readonly allocation: Allocation
  readonly family: Family
  readonly choice: PortChoice
  /** Where peers see it: announced address and relay port. */
  relayed: Endpoint
  /** `binding` until its socket is open. */
  phase: 'binding' | 'open' | 'ended'
  bindAttempts: number
  expiresAt: number
}

/** Why a dual allocation lacks one of its families. RFC 8656 §18.12. */
export interface MissingRelay {
  readonly family: Family
  readonly error: StunError
}

/** What an Allocate request creates. Times are the core's `now`. RFC 8656 §5. */
export interface Allocation {
  readonly id: number
  readonly client: Client
  /** Whose quota it counts against and who alone may change it. */
  readonly user: string
  /** The user in the tables that workers share. */
  readonly userHash: number
  readonly username: string
  /** The key that its requests are signed with while they carry `username`. */
  readonly integrityKey: Uint8Array
  readonly passwordAlgorithm: PasswordAlgorithm
  readonly integrityHash: IntegrityHash
  /** Epoch ms; `undefined` when its credential does not end. */
  readonly credentialExpiresAt: number | undefined
  /** The Allocate's transaction id, to know a retransmission. RFC 8656 §7.2. */
  readonly transactionId: Uint8Array
  readonly lifetimeS: number
  readonly createdAt: number
  ipv4: Relay | undefined
  ipv6: Relay | undefined
  readonly missing: MissingRelay[]
  /** What the next port was reserved under. RFC 8656 §7.2. */
  reservationToken: Uint8Array | undefined
  /** `binding` until every relay's socket has opened or failed. */
  phase: 'binding' | 'open' | 'ended'
  /** The answer to the Allocate, repeated for a retransmission. */
  response: Uint8Array | undefined
  /** Payload bytes, for whoever lists sessions. */
  bytesToPeer: number
  bytesToClient: number
  /** Address → end of its permission. RFC 8656 §9. */
  readonly permissions: Map<IpAddress, number>
  readonly channels: Map<number, Channel>
  readonly channelsByPeer: Map<EndpointKey, Channel>
  /** Whom Send indications went to since `recentSince`, to know who scans. */
  readonly recentPeers: Set<EndpointKey>
  recentSince: number
}

/** How long a peer counts as recent. */
const RECENT_MS = 60_000

/** What a ChannelBind comes to. RFC 8656 §12.2. */
export type BindOutcome = 'bound' | 'conflict' | 'full'

/** The lifetime that a request for `requestedS` gets. RFC 8656 §7.2, §8.2. */
export function grantedLifetimeS(requestedS: number | undefined): number {
  return Math.min(Math.max(requestedS ?? DEFAULT_LIFETIME_S, DEFAULT_LIFETIME_S), MAX_LIFETIME_S)
}

/** The relay of one family. */
export function relayOf(allocation: Allocation, family: Family): Relay | undefined {
  return family === 4 ? allocation.ipv4 : allocation.ipv6
}

/** The relays that there are, one or two. */
export function relaysOf({ ipv4, ipv6 }: Allocation): readonly Relay[] {
  return [ipv4, ipv6].filter((relay) => relay !== undefined)
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

/**
 * Notes a peer of a Send indication; `false` when the allocation has sent to `max` others within a
 * minute, as those do who scan for ports and addresses. Channels have a bound of their own.
 */
export function notePeer(
  allocation: Allocation,
  peer: Endpoint,
  { max, now }: { readonly max: number; readonly now: number },
): boolean {
  const { recentPeers } = allocation
  const key = endpointKey(peer.address, peer.port)
  if (recentPeers.has(key)) return true
  if (recentPeers.size >= max) {
    if (now - allocation.recentSince < RECENT_MS) return false
    recentPeers.clear()
  }
  if (recentPeers.size === 0) allocation.recentSince = now
  recentPeers.add(key)
  return true
}

/** Forgets what has run out. Uses check times themselves; this only gives the memory back. */
export function dropExpired(allocation: Allocation, now: number): void {
  for (const [address, expiresAt] of allocation.permissions) {
    if (expiresAt <= now) allocation.permissions.delete(address)
  }
  dropExpiredChannels(allocation, now)
}

/** Forgets the permissions and channels of one family, whose relay has ended. RFC 8656 §8.1. */
export function dropFamily(allocation: Allocation, family: Family): void {
  for (const address of allocation.permissions.keys()) {
    if (familyOf(address) === family) allocation.permissions.delete(address)
  }
  for (const { number, peer } of allocation.channels.values()) {
    if (familyOf(peer.address) !== family) continue
    allocation.channels.delete(number)
    allocation.channelsByPeer.delete(endpointKey(peer.address, peer.port))
  }
}

function dropExpiredChannels(allocation: Allocation, now: number): void {
  for (const [number, channel] of allocation.channels) {
    if (channel.expiresAt > now) continue
    allocation.channels.delete(number)
    allocation.channelsByPeer.delete(endpointKey(channel.peer.address, channel.peer.port))
  }
}
