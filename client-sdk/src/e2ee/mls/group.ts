import {
  createApplicationMessage,
  createCommit,
  createGroupInfoWithExternalPubAndRatchetTree,
  decodeMlsMessage,
  decryptSenderData,
  emptyPskIndex,
  encodeMlsMessage,
  mlsExporter,
  processMessage,
  zeroOutUint8Array,
} from './library.ts'
import type {
  CiphersuiteImpl,
  ClientState,
  KeyPackage,
  MLSMessage,
  PrivateMessage,
  Proposal,
} from './library.ts'
import { readCredential } from '../credential.ts'
import { GroupError } from '../group-key-agreement.ts'
import type {
  Group,
  GroupChange,
  GroupMember,
  PreparedCommit,
  Processed,
} from '../group-key-agreement.ts'
import { sameBytes } from '../octets.ts'
import { checkEntrant, checkMembers, outlineOf } from './guards.ts'

/** A message is refused before it is decoded if it is longer. */
const MOST_BYTES = 256 * 1024

/** One epoch of an MLS group, as this device sees it. */
export class MlsGroup implements Group {
  readonly epoch: number
  readonly ownLeaf: number
  readonly members: readonly GroupMember[]
  readonly authenticator
  readonly #suite: CiphersuiteImpl
  readonly #state: ClientState

  constructor(suite: CiphersuiteImpl, state: ClientState) {
    this.#suite = suite
    this.#state = state
    this.epoch = Number(state.groupContext.epoch)
    this.ownLeaf = state.privatePath.leafIndex
    this.members = membersOf(state)
    this.authenticator = Uint8Array.from(state.keySchedule.epochAuthenticator)
  }

  async exportSecret(label: string, length: number) {
    const { exporterSecret } = this.#state.keySchedule
    const none = new Uint8Array()
    return Uint8Array.from(await mlsExporter(exporterSecret, label, none, length, this.#suite))
  }

  async publicState() {
    const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(
      this.#state,
      [],
      this.#suite,
    )
    return encoded({ version: 'mls10', wireformat: 'mls_group_info', groupInfo })
  }

  isAt(publicState: Uint8Array): boolean {
    const [message] = read(publicState) ?? []
    if (message?.wireformat !== 'mls_group_info') return false
    const { groupContext: theirs } = message.groupInfo
    const { groupContext: own } = this.#state
    return (
      theirs.epoch === own.epoch &&
      sameBytes(theirs.treeHash, own.treeHash) &&
      sameBytes(theirs.confirmedTranscriptHash, own.confirmedTranscriptHash)
    )
  }

  async prepare({ add, remove }: GroupChange): Promise<PreparedCommit> {
    const proposals: Proposal[] = [
      ...remove.map((removed) => ({ proposalType: 'remove', remove: { removed } }) as const),
      ...add.map((bytes) => {
        const keyPackage = readKeyPackage(bytes)
        return { proposalType: 'add', add: { keyPackage } } as const
      }),
    ]
    const { commit, welcome, newState } = await rewritten(() =>
      createCommit(
        { state: this.#state, cipherSuite: this.#suite },
        { wireAsPublicMessage: true, extraProposals: proposals },
      ),
    )
    const outline = outlineOf(commit)
    const next = new MlsGroup(this.#suite, newState)
    checkMembers(this.members, outline, next.members)
    return {
      commit: encoded(commit),
      welcome: welcome && encoded({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
      groupInfo: await next.publicState(),
      next,
    }
  }

  async process(commit: Uint8Array): Promise<Processed> {
    const message = decoded(commit)
    const outline = outlineOf(message)
    if (message.wireformat !== 'mls_public_message') throw new GroupError('not a commit')
    if (outline.epoch !== this.epoch) throw new GroupError('a commit of another epoch')
    checkEntrant(outline, this.members)
    const { newState, consumed } = await rewritten(async () => {
      const result = await processMessage(
        message,
        this.#state,
        emptyPskIndex,
        () => 'accept',
        this.#suite,
      )
      if (result.kind !== 'newState') throw new GroupError('not a commit')
      return result
    })
    if (newState.groupActiveState.kind !== 'active') return 'removed'
    const group = new MlsGroup(this.#suite, newState)
    checkMembers(this.members, outline, group.members)
    consumed.forEach(zeroOutUint8Array)
    return { group, added: outline.added }
  }

  async seal(message: Uint8Array) {
    const { newState, privateMessage } = await rewritten(() =>
      createApplicationMessage(this.#state, message, this.#suite),
    )
    const sealed = encoded({ version: 'mls10', wireformat: 'mls_private_message', privateMessage })
    return { sealed, group: new MlsGroup(this.#suite, newState) }
  }

  async open(sealed: Uint8Array) {
    const message = decoded(sealed)
    if (message.wireformat !== 'mls_private_message') throw new GroupError('not a sealed message')
    if (message.privateMessage.epoch > this.epoch) {
      throw new GroupError('a message of a later epoch', 'ahead')
    }
    const isHeld = this.#state.historicalReceiverData.has(message.privateMessage.epoch)
    if (message.privateMessage.epoch < this.epoch && !isHeld) {
      throw new GroupError('a message of an epoch that is over', 'past')
    }
    const result = await rewritten(() =>
      processMessage(message, this.#state, emptyPskIndex, () => 'reject', this.#suite),
    )
    if (result.kind !== 'applicationMessage') throw new GroupError('not a sealed message')
    const from = await this.#sealerOf(message.privateMessage)
    return { message: result.message, from, group: new MlsGroup(this.#suite, result.newState) }
  }

  /** Whose leaf key has signed a message that was opened; the library checks it and does not tell. */
  async #sealerOf(message: PrivateMessage): Promise<GroupMember> {
    const { historicalReceiverData, keySchedule, ratchetTree } = this.#state
    const { senderDataSecret, ratchetTree: tree } = historicalReceiverData.get(message.epoch) ?? {
      ...keySchedule,
      ratchetTree,
    }
    const sender = await rewritten(() => decryptSenderData(message, senderDataSecret, this.#suite))
    const from = membersOf({ ratchetTree: tree }).find(({ leaf }) => leaf === sender?.leafIndex)
    if (!from) throw new GroupError('a message of no member')
    return from
  }
}

/** The members by the tree, in the order of their leaves. */
export function membersOf({
  ratchetTree,
}: Pick<ClientState, 'ratchetTree'>): readonly GroupMember[] {
  return ratchetTree.flatMap((node, index) => {
    if (node?.nodeType !== 'leaf') return []
    const { credential } = node.leaf
    const identity =
      credential.credentialType === 'basic' ? readCredential(credential.identity) : undefined
    if (!identity) throw new GroupError('a credential of another kind')
    // Leaves have the even places.
    return [{ ...identity, leaf: index / 2 }]
  })
}

/** Whatever the library throws is about a message that is no good, or not for us. */
export async function rewritten<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof GroupError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new GroupError(message, 'refused', { cause: error })
  }
}

/** Reads an offer to join. */
function readKeyPackage(bytes: Uint8Array): KeyPackage {
  const message = decoded(bytes)
  if (message.wireformat !== 'mls_key_package') throw new GroupError('not a key package')
  return message.keyPackage
}

/** For some bytes the library has an exception, for others nothing. */
function read(bytes: Uint8Array) {
  try {
    return decodeMlsMessage(bytes, 0)
  } catch {
    return undefined
  }
}

export function decoded(bytes: Uint8Array): MLSMessage {
  if (bytes.length > MOST_BYTES) throw new GroupError('a message that is too long')
  const found = read(bytes)
  if (!found || found[1] !== bytes.length) throw new GroupError('not an MLS message')
  const [message] = found
  // The library reads some bytes that no sender writes, and signatures are over what it would write.
  if (!sameBytes(encoded(message), bytes)) throw new GroupError('not as MLS writes it')
  return message
}

export function encoded(message: MLSMessage) {
  return Uint8Array.from(encodeMlsMessage(message))
}
