import type { Endpoint, Family, IpAddress } from '../wire/index.ts'
import type { AllocationTable } from './allocation-table.ts'
import type { Allocation, Client } from './allocation.ts'
import type { Counters } from './counters.ts'
import type { PeerPolicy, PortRange, RefusalCause } from './peer-policy.ts'
import type { ReplyLimit } from './reply-limit.ts'

/** What one server may hand out. Counts, not bytes. */
export interface Limits {
  readonly allocations: number
  readonly allocationsPerUser: number
  readonly permissionsPerAllocation: number
  readonly channelsPerAllocation: number
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
  permissionsPerAllocation: 256,
  channelsPerAllocation: 256,
  strangerRepliesPerSecond: 50,
  bindingRepliesPerSecond: 200,
}

/** Who a username is, and the keys that its requests may be signed with, newest secret first. */
export interface CredentialCandidates {
  /** `undefined` when the username is malformed or expired. */
  readonly user: string | undefined
  readonly keys: readonly Uint8Array[]
}

/** What the core is built from. */
export interface ServerConfig {
  readonly realm: string
  /** Where relays are announced, one address for each family that is offered. */
  readonly announced: Readonly<Partial<Record<Family, IpAddress>>>
  readonly relayPorts: PortRange
  readonly policy: PeerPolicy
  readonly limits: Limits
  /** Signs nonces; the same in every worker. */
  readonly nonceKey: Uint8Array
  /** Looks a username up; `wallMs` is epoch ms. */
  readonly credentials: (username: string, wallMs: number) => CredentialCandidates
  readonly random: (byteCount: number) => Uint8Array
}

/** Why an allocation ended. */
export type EndReason = 'expired' | 'released' | 'clientGone' | 'relayFailed'

/** What the shell must do, in order. */
export type Command =
  | { readonly type: 'sendToClient'; readonly client: Client; readonly bytes: Uint8Array }
  /** Answer with `relayBound` or `relayFailed`, whatever happens. */
  | { readonly type: 'bindRelay'; readonly allocation: Allocation }
  | { readonly type: 'closeRelay'; readonly allocation: Allocation }
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
  peer: Endpoint
  /** To a client: the bound channel, or 0 for a Data indication. */
  channel: number
  offset: number
  length: number
}

/** The reused {@link Relayed}, which names nobody before the first packet. */
export type RelayedDraft = {
  -readonly [Key in keyof Relayed]: Key extends 'allocation' | 'peer'
    ? Relayed[Key] | undefined
    : Relayed[Key]
}

/** The mutable state behind {@link TurnServer}. */
export interface ServerState {
  readonly config: ServerConfig
  readonly table: AllocationTable
  readonly counters: Counters
  readonly strangerLimit: ReplyLimit
  readonly bindingLimit: ReplyLimit
  commands: Command[]
  /** Epoch ms minus `now`, told by the shell, for what others' clocks decide. */
  wallOffsetMs: number
  nextAllocationId: number
  readonly relayed: RelayedDraft
}
