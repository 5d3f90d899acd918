import type { CallId, DeviceId, Millis, UserId } from '@parley/protocol'
import {
  createGroup,
  decodeRatchetTree,
  defaultClientConfig,
  emptyPskIndex,
  generateKeyPackageWithKey,
  joinGroup,
  joinGroupExternal,
} from './library.ts'
import type {
  CiphersuiteImpl,
  ClientConfig,
  ClientState,
  KeyPackage,
  PrivateKeyPackage,
} from './library.ts'
import { certifyLeaf, checkCredential, readCredential } from '../credential.ts'
import type { LeafIdentity } from '../credential.ts'
import { GroupError } from '../group-key-agreement.ts'
import type { Group, GroupKeyAgreement } from '../group-key-agreement.ts'
import type { DeviceKey } from '../identity/device-key.ts'
import { sameBytes, toText, utf8 } from '../octets.ts'
import { checkNoTwins } from './guards.ts'
import { cipherSuite, SUITE } from './suite.ts'
import { decoded, encoded, membersOf, MlsGroup, rewritten } from './group.ts'

/** Seconds that a key package is good for, on clocks that may be a day apart. */
const DAY_S = 86_400n

/** Verified credentials that are remembered: a joiner sees each twice. */
const MOST_REMEMBERED = 512

/** For whom, and in which call, keys are agreed. */
export interface Membership {
  readonly call: CallId
  readonly user: UserId
  readonly device: DeviceId
  readonly key: DeviceKey
  readonly now: () => Millis
}

interface Offer {
  readonly publicPackage: KeyPackage
  readonly privatePackage: PrivateKeyPackage
}

/** Agrees on keys by MLS (RFC 9420), with ts-mls behind it. */
export async function mlsAgreement(membership: Membership): Promise<GroupKeyAgreement> {
  return new MlsAgreement(membership, await cipherSuite())
}

class MlsAgreement implements GroupKeyAgreement {
  readonly #membership: Membership
  readonly #suite: CiphersuiteImpl
  readonly #config: ClientConfig
  readonly #verified = new Set<string>()
  #offer: Offer | undefined

  constructor(membership: Membership, suite: CiphersuiteImpl) {
    this.#membership = membership
    this.#suite = suite
    this.#config = {
      ...defaultClientConfig,
      authService: {
        validateCredential: async (credential, leafKey) =>
          credential.credentialType === 'basic' && this.#validate(credential.identity, leafKey),
      },
      // By this a device that has lost its state finds the leaf that it had.
      keyPackageEqualityConfig: {
        compareKeyPackages: (a, b) => sameOwner(a.leafNode, b.leafNode),
        compareKeyPackageToLeafNode: (a, b) => sameOwner(a.leafNode, b),
      },
    }
  }

  async offer() {
    this.#offer = await this.#makeOffer()
    const { publicPackage: keyPackage } = this.#offer
    return encoded({ version: 'mls10', wireformat: 'mls_key_package', keyPackage })
  }

  async inspect(offer: Uint8Array): Promise<LeafIdentity | undefined> {
    const message = decoded(offer)
    if (message.wireformat !== 'mls_key_package') return undefined
    const { credential, signaturePublicKey } = message.keyPackage.leafNode
    if (credential.credentialType !== 'basic') return undefined
    const { call, now } = this.#membership
    return checkCredential(credential.identity, signaturePublicKey, { call, nowMs: now() })
  }

  async create(): Promise<Group> {
    const { publicPackage, privatePackage } = await this.#makeOffer()
    const id = groupId(this.#membership.call)
    const config = this.#config
    return this.#group(
      await createGroup(id, publicPackage, privatePackage, [], this.#suite, config),
    )
  }

  async enter(welcome: Uint8Array, groupInfo: Uint8Array): Promise<Group> {
    const offer = this.#offer
    const message = decoded(welcome)
    if (!offer || message.wireformat !== 'mls_welcome' || message.welcome.cipherSuite !== SUITE) {
      throw new GroupError('no welcome for us')
    }
    const tree = treeOf(readGroupInfo(groupInfo))
    const state = await rewritten(() =>
      joinGroup(
        message.welcome,
        offer.publicPackage,
        offer.privatePackage,
        emptyPskIndex,
        this.#suite,
        tree,
        undefined,
        this.#config,
      ),
    )
    this.#offer = undefined
    return this.#group(state)
  }

  async enterUninvited(groupInfo: Uint8Array) {
    const info = readGroupInfo(groupInfo)
    const { publicPackage, privatePackage } = await this.#makeOffer()
    const wasMember = treeOf(info).some(
      (node) => node?.nodeType === 'leaf' && sameOwner(publicPackage.leafNode, node.leaf),
    )
    const alone = treeOf(info).every(
      (node) => node?.nodeType !== 'leaf' || sameOwner(publicPackage.leafNode, node.leaf),
    )
    if (alone) throw new GroupError('nobody else is in the group', 'hopeless')
    const { publicMessage, newState } = await rewritten(() =>
      joinGroupExternal(
        info,
        publicPackage,
        privatePackage,
        wasMember,
        this.#suite,
        undefined,
        this.#config,
      ),
    )
    const next = this.#group(newState)
    const commit = encoded({ version: 'mls10', wireformat: 'mls_public_message', publicMessage })
    return { commit, welcome: undefined, groupInfo: await next.publicState(), next }
  }

  #group(state: ClientState): Group {
    if (!sameBytes(state.groupContext.groupId, groupId(this.#membership.call))) {
      throw new GroupError('the group of another call')
    }
    checkNoTwins(membersOf(state))
    return new MlsGroup(this.#suite, state)
  }

  async #makeOffer(): Promise<Offer> {
    const { call, user, device, key, now } = this.#membership
    const leafKey = await this.#suite.signature.keygen()
    const claim = { call, user, device, nowMs: now() }
    const identity = await certifyLeaf(key, leafKey.publicKey, claim)
    const nowS = BigInt(Math.floor(now() / 1_000))
    return generateKeyPackageWithKey(
      { credentialType: 'basic', identity },
      {
        versions: ['mls10'],
        ciphersuites: [SUITE],
        extensions: [],
        proposals: [],
        credentials: ['basic'],
      },
      { notBefore: nowS - DAY_S, notAfter: nowS + 2n * DAY_S },
      [],
      leafKey,
      this.#suite,
    )
  }

  async #validate(identity: Uint8Array, leafKey: Uint8Array): Promise<boolean> {
    const name = `${toText(identity)}.${toText(leafKey)}`
    if (this.#verified.has(name)) return true
    const { call, now } = this.#membership
    const found = await checkCredential(identity, leafKey, { call, nowMs: now() })
    if (!found) return false
    if (this.#verified.size >= MOST_REMEMBERED) this.#verified.clear()
    this.#verified.add(name)
    return true
  }
}

/** A group belongs to one call: messages of another one do not fit. */
function groupId(call: CallId) {
  return utf8(`parley/${call}`)
}

function readGroupInfo(bytes: Uint8Array) {
  const message = decoded(bytes)
  if (message.wireformat !== 'mls_group_info') throw new GroupError('no public state')
  return message.groupInfo
}

type GroupInfo = ReturnType<typeof readGroupInfo>

function treeOf({ extensions }: GroupInfo) {
  const found = extensions.find(({ extensionType }) => extensionType === 'ratchet_tree')
  const tree = found && readTree(found.extensionData)
  if (!tree) throw new GroupError('no tree in the public state')
  return tree
}

function readTree(bytes: Uint8Array) {
  try {
    return decodeRatchetTree(bytes, 0)?.[0]
  } catch {
    return undefined
  }
}

type Leaf =
  | KeyPackage['leafNode']
  | Parameters<ClientConfig['keyPackageEqualityConfig']['compareKeyPackageToLeafNode']>[1]

/** Whether two leaves claim the same device of the same user. */
function sameOwner({ credential: a }: Leaf, { credential: b }: Leaf): boolean {
  if (a.credentialType !== 'basic' || b.credentialType !== 'basic') return false
  const [left, right] = [readCredential(a.identity), readCredential(b.identity)]
  return left?.user === right?.user && left?.device === right?.device && left !== undefined
}
