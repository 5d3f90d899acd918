import type { MLSMessage } from './library.ts'
import { readCredential } from '../credential.ts'
import { GroupError } from '../group-key-agreement.ts'
import type { GroupMember } from '../group-key-agreement.ts'
import { sameBytes } from '../octets.ts'

/**
 * Rules that a commit must keep, whatever the library thinks of it. A library before this one let a
 * removed member compute the next epoch's secrets, because its commit had no path.
 */
export interface CommitOutline {
  readonly epoch: number
  /** Undefined for one who enters uninvited. */
  readonly committer: number | undefined
  readonly added: readonly Identity[]
  readonly removed: readonly number[]
}

type Identity = Omit<GroupMember, 'leaf'>

/** Reads a commit before anything is done with it, and refuses what no member of ours makes. */
export function outlineOf(message: MLSMessage): CommitOutline {
  if (message.wireformat !== 'mls_public_message') throw new GroupError('not a public message')
  const { content } = message.publicMessage
  if (content.contentType !== 'commit') throw new GroupError('not a commit')
  const { commit, sender } = content
  const added: Identity[] = []
  const removed: number[] = []
  let external = false
  for (const one of commit.proposals) {
    if (one.proposalOrRefType !== 'proposal') throw new GroupError('a proposal by reference')
    const { proposal } = one
    if (proposal.proposalType === 'add') {
      added.push(identityOf(proposal.add.keyPackage.leafNode.credential))
    } else if (proposal.proposalType === 'remove') removed.push(proposal.remove.removed)
    else if (proposal.proposalType === 'external_init') external = true
    else throw new GroupError(`a proposal of type ${String(proposal.proposalType)}`)
  }
  const onlyAdds = added.length > 0 && removed.length === 0 && !external
  if (commit.path === undefined && !onlyAdds) throw new GroupError('a commit without a path')
  if (external !== (sender.senderType === 'new_member_commit')) {
    throw new GroupError('a commit from nowhere')
  }
  if (external) {
    if (commit.path === undefined) throw new GroupError('a commit without a path')
    added.push(identityOf(commit.path.leafNode.credential))
  }
  const committer = sender.senderType === 'member' ? sender.leafIndex : undefined
  return { epoch: Number(content.epoch), committer, added, removed }
}

/** One who enters uninvited may remove a leaf of his own device, and no other. */
export function checkEntrant(outline: CommitOutline, before: readonly GroupMember[]): void {
  if (outline.committer !== undefined) return
  const [entrant] = outline.added
  for (const leaf of outline.removed) {
    const gone = before.find((member) => member.leaf === leaf)
    if (!gone || !entrant || !sameDevice(gone, entrant)) {
      throw new GroupError('an entrant removes somebody else')
    }
  }
}

/** The members after a commit must be those before it, with the changes that it names. */
export function checkMembers(
  before: readonly GroupMember[],
  { added, removed }: CommitOutline,
  after: readonly GroupMember[],
): void {
  const stayed = before.filter(({ leaf }) => !removed.includes(leaf))
  const changed = stayed.some((member) => {
    const now = after.find(({ leaf }) => leaf === member.leaf)
    return !now || !sameIdentity(now, member)
  })
  const kept = new Set(stayed.map(({ leaf }) => leaf))
  const come = after.filter(({ leaf }) => !kept.has(leaf))
  const unnamed = come.some((member) => !added.some((one) => sameIdentity(one, member)))
  if (changed || unnamed || come.length !== added.length) {
    throw new GroupError('the members are not those that the commit names')
  }
  checkNoTwins(after)
}

/** A device has one leaf: a second one would be somebody else's. */
export function checkNoTwins(members: readonly GroupMember[]): void {
  const names = members.map(({ user, device }) => JSON.stringify([user, device]))
  if (new Set(names).size !== names.length) throw new GroupError('a device has two leaves')
}

function identityOf(credential: { readonly credentialType: string }): Identity {
  const identity =
    'identity' in credential && credential.identity instanceof Uint8Array
      ? readCredential(credential.identity)
      : undefined
  if (!identity) throw new GroupError('a credential of another kind')
  return identity
}

function sameDevice(a: Identity, b: Identity): boolean {
  return a.user === b.user && a.device === b.device
}

function sameIdentity(a: Identity, b: Identity): boolean {
  return sameDevice(a, b) && sameBytes(a.deviceKey, b.deviceKey)
}
