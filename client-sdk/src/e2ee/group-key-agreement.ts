import type { LeafIdentity } from './credential.ts'
import type { Octets } from './octets.ts'

/** A member of the group: who, and at which leaf of the tree. */
export interface GroupMember extends LeafIdentity {
  readonly leaf: number
}

/**
 * What came is no good, or not for us. `ahead`: it is of an epoch that we do not know yet. `past`: it
 * is of one that we have no keys of any more, or never had. `hopeless`: trying again does not help.
 */
export class GroupError extends Error {
  override readonly name = 'GroupError'
  readonly kind: 'refused' | 'ahead' | 'past' | 'hopeless'

  constructor(
    message: string,
    kind: 'refused' | 'ahead' | 'past' | 'hopeless' = 'refused',
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.kind = kind
  }
}

/** What a commit is to change. Without changes it only makes fresh keys. */
export interface GroupChange {
  readonly add: readonly Uint8Array[]
  readonly remove: readonly number[]
}

/** A commit that is ready to be sent; `next` is the group if it wins. */
export interface PreparedCommit {
  readonly commit: Octets
  /** For those whom it adds. */
  readonly welcome: Octets | undefined
  /** Public state after it, for those who enter later. */
  readonly groupInfo: Octets
  readonly next: Group
}

/** What somebody else's commit has made of the group. `removed`: this device is no member any more. */
export type Processed =
  { readonly group: Group; readonly added: readonly LeafIdentity[] } | 'removed'

/**
 * The group as this device sees it at one epoch: a value. Whatever changes it gives another one, so
 * that a commit which loses the race is forgotten by keeping the old one.
 */
export interface Group {
  readonly epoch: number
  readonly ownLeaf: number
  readonly members: readonly GroupMember[]
  /** 32 bytes that are equal for all members, and for nobody else. */
  readonly authenticator: Octets
  exportSecret(label: string, length: number): Promise<Octets>
  publicState(): Promise<Octets>
  /** Whether what somebody calls the group's public state is that of this group at this epoch. */
  isAt(publicState: Uint8Array): boolean
  prepare(change: GroupChange): Promise<PreparedCommit>
  process(commit: Uint8Array): Promise<Processed>
  /** A message for the members. The key is used up: go on with `group`. */
  seal(message: Uint8Array): Promise<{ readonly sealed: Octets; readonly group: Group }>
  /** A message, and the member who sealed it: whom the server names is only its word. */
  open(sealed: Uint8Array): Promise<{
    readonly message: Uint8Array
    readonly from: GroupMember
    readonly group: Group
  }>
}

/**
 * How the members of a call come by common secrets. MLS does it; the interface is all that the rest
 * knows of it, so that another way can take its place.
 */
export interface GroupKeyAgreement {
  /** A fresh offer to join. An older one is void. */
  offer(): Promise<Octets>
  /** Who makes an offer, if it is a valid one. */
  inspect(offer: Uint8Array): Promise<LeafIdentity | undefined>
  create(): Promise<Group>
  /** Enters by the welcome of the one who added this device. */
  enter(welcome: Uint8Array, groupInfo: Uint8Array): Promise<Group>
  /** Enters by a commit of its own; an older leaf of this device goes. */
  enterUninvited(groupInfo: Uint8Array): Promise<PreparedCommit>
}
