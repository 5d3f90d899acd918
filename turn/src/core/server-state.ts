import type { Endpoint, Family, IpAddress } from '../wire/index.ts'
import type { AllocationTable } from './allocation-table.ts'
import type { Allocation, Client, Relay } from './allocation.ts'
import type { Commons } from './commons.ts'
import type { NonceKey } from './nonce.ts'
import type { PeerPolicy, RefusalCause } from './peer-policy.ts'

/** What one server may hand out, all its workers together. */
export interface Limits {
  readonly allocations: number
  readonly allocationsPerUser: number
  /** Payload bytes per second in both directions; 0 for no limit. */
  readonly userBytesPerSecond: number
  readonly totalBytesPerSecond: number
  /** Connections of one address; many people may sit behind it. */
  readonly streamsPerAddress: number
  readonly permissionsPerAllocation: number
  readonly channelsPerAllocation: number
  /** Peers to which one allocation may send without a channel, each minute. */
  readonly peersPerMinute: number
  /** Replies per second and address to those who have not authenticated, over UDP. */
  readonly strangerRepliesPerSecond: number
  /** The same for Binding, whose answers are hardly larger than its requests. */
  readonly bindingRepliesPerSecond: number
}

/**
 * Room for many calls of one user on several networks, and for hundreds of strangers behind one
 * address; small enough that a single user or address cannot take the server.
 */
export const defaultLimits: Limits = {
  allocations: 16_384,
  allocationsPerUser: 64,
  userBytesPerSecond: 0,
  totalBytesPerSecond: 0,
  streamsPerAddress: 256,
  permissionsPerAllocation: 256,
  channelsPerAllocation: 256,
  peersPerMinute: 256,
  strangerRepliesPerSecond: 50,
  bindingRepliesPerSecond: 200,
}

/** Who a username is, and the passwords that its requests may be signed with, newest secret first. */
export interface CredentialCandidates {
  /** `undefined` when the username is unknown, malformed or expired. */
  readonly user: string | undefined
  readonly passwords: readonly string[]
  /** Epoch ms; `undefined` when the credential does not end. */
  readonly expiresAt: number | undefined
}

/** Where credentials are looked up. */
export interface CredentialSource {
  /** `wallMs` is epoch ms. */
  lookUp(username: string, wallMs: number): CredentialCandidates
  /** The username behind a USERHASH, in hex; only a list of users can be searched. */
  usernameOf(userHash: string): string | undefined
  /** Whether clients are told that they may send USERHASH. RFC 8489 §9.2. */
  readonly offersUsernameAnonymity: boolean
}

/** What the core is built from. */
export interface ServerConfig {
  readonly realm: string
  /** Where relays are announced, one address for each family that is offered. */
  readonly announced: Readonly<Partial<Record<Family, IpAddress>>>
  /** Where relays are bound, which is another address behind a NAT. */
  readonly bound: Readonly<Partial<Record<Family, IpAddress>>>
  /** Family of a relay when the client names none: IPv4 by the RFC, or that of the client. */
  readonly defaultFamily: 'ipv4' | 'client'
  /** Whether an allocation ends with the credential that it was made with. */
  readonly endsWithCredential: boolean
  readonly policy: PeerPolicy
  readonly limits: Limits
  /** What the workers of one server share. */
  readonly commons: Commons
  /** Signs nonces; the same in every worker. */
  readonly nonceKey: Uint8Array
  readonly credentials: CredentialSource
  readonly random: (byteCount: number) => Uint8Array
}

/** Why an allocation ended. */
export type EndReason =
  'expired' | 'released' | 'clientGone' | 'relayFailed' | 'credentialExpired' | 'ended'

/** What the shell must do, in order. */
export type Command =
  | { readonly type: 'sendToClient'; readonly client: Client; readonly bytes: Uint8Array }
  /** Answer with `relayBound` or `relayFailed`, whatever happens. */
  | { readonly type: 'bindRelay'; readonly relay: Relay }
  | { readonly type: 'closeRelay'; readonly relay: Relay }
  | { readonly type: 'reportCreated'; readonly allocation: Allocation }
  | {
      readonly type: 'reportEnded'
      readonly allocation: Allocation
      readonly reason: EndReason
    }
  | { readonly type: 'reportRefusal'; readonly cause: RefusalCause; readonly rule: string }

/**
 * Where a relayed payload goes. It lies at `offset` in the bytes that came in. One object is reused
 * for every packet: use it before the next call.
 */
export interface Relayed {
  /** `peer`: out of the allocation's relay. `client`: to the allocation's client. */
  to: 'peer' | 'client'
  allocation: Allocation
  /** The relay out of which it goes, or into which it came. */
  relay: Relay
  peer: Endpoint
  /** To a client: the bound channel, or 0 for a Data indication. */
  channel: number
  offset: number
  length: number
}

/** The reused {@link Relayed}, which names nobody before the first packet. */
export type RelayedDraft = {
  -readonly [Key in keyof Relayed]: Key extends 'allocation' | 'relay' | 'peer'
    ? Relayed[Key] | undefined
    : Relayed[Key]
}

/** Where new clients are sent while the server drains: at most one address of each family. */
export interface Drain {
  readonly alternates: readonly Pick<Endpoint, 'address' | 'port'>[]
}

/** The mutable state behind {@link TurnServer}. */
export interface ServerState {
  readonly config: ServerConfig
  readonly table: AllocationTable
  readonly nonceKey: NonceKey
  /** Set while new clients are turned away. */
  drain: Drain | undefined
  commands: Command[]
  /** Epoch ms minus `now`, told by the shell, for what others' clocks decide. */
  wallOffsetMs: number
  nextAllocationId: number
  nextRelayId: number
  readonly relayed: RelayedDraft
}
