import { beforeAll, describe, expect, test } from 'vitest'
import { decryptWithLabel } from 'ts-mls/crypto/hpke.js'
import { refhash } from 'ts-mls/crypto/hash.js'
import { deriveSecret, deriveTreeSecret, expandWithLabel } from 'ts-mls/crypto/kdf.js'
import { signWithLabel, verifyWithLabel } from 'ts-mls/crypto/signature.js'
import { decodeGroupContext } from 'ts-mls/groupContext.js'
import type { GroupContext } from 'ts-mls/groupContext.js'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { unprotectPrivateMessage } from 'ts-mls/messageProtection.js'
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { createSecretTree } from 'ts-mls/secretTree.js'
// Cases of cipher suite 1, which is the one in use; where they come from, the file says.
import vectors from '../testdata/rfc9420.json' with { type: 'json' }
import { decoded } from './group.ts'
import {
  defaultClientConfig,
  emptyPskIndex,
  joinGroup,
  mlsExporter,
  processMessage,
} from './library.ts'
import type { CiphersuiteImpl, ClientState } from './library.ts'
import { cipherSuite, SUITE } from './suite.ts'

let suite: CiphersuiteImpl
beforeAll(async () => {
  suite = await cipherSuite()
})

describe('the vectors of RFC 9420', () => {
  test('crypto basics', async () => {
    const { ref_hash, expand_with_label, derive_secret, derive_tree_secret } = vectors.cryptoBasics
    expect(hex(await refhash(ref_hash.label, bytes(ref_hash.value), suite.hash))).toBe(ref_hash.out)
    const { secret, label, context, length, out } = expand_with_label
    const expanded = expandWithLabel(bytes(secret), label, bytes(context), length, suite.kdf)
    expect(hex(await expanded)).toBe(out)
    const derived = deriveSecret(bytes(derive_secret.secret), derive_secret.label, suite.kdf)
    expect(hex(await derived)).toBe(derive_secret.out)
    const tree = derive_tree_secret
    const ofTree = await deriveTreeSecret(
      bytes(tree.secret),
      tree.label,
      tree.generation,
      tree.length,
      suite.kdf,
    )
    expect(hex(ofTree)).toBe(tree.out)
  })

  test('crypto basics: signatures', async () => {
    const { priv, pub, label, content, signature } = vectors.cryptoBasics.sign_with_label
    const key = unprefixed(pub)
    const verify = (signed: Uint8Array) =>
      verifyWithLabel(key, label, bytes(content), signed, suite.signature)
    expect(await verify(bytes(signature))).toBe(true)
    const own = await signWithLabel(unprefixed(priv), label, bytes(content), suite.signature)
    // Ed25519 is deterministic.
    expect(hex(own)).toBe(signature)
  })

  test('crypto basics: public-key encryption', async () => {
    const vector = vectors.cryptoBasics.encrypt_with_label
    const opened = await decryptWithLabel(
      await suite.hpke.importPrivateKey(unprefixed(vector.priv)),
      vector.label,
      bytes(vector.context),
      bytes(vector.kem_output),
      bytes(vector.ciphertext),
      suite.hpke,
    )
    expect(hex(opened)).toBe(vector.plaintext)
  })

  test('key schedule', async () => {
    let initSecret = bytes(vectors.keySchedule.initial_init_secret)
    for (const vector of vectors.keySchedule.epochs) {
      const context = decodeGroupContext(bytes(vector.group_context), 0)?.[0]
      if (!context) throw new Error('no context')
      const epoch = await initializeEpoch(
        initSecret,
        bytes(vector.commit_secret),
        context,
        bytes(vector.psk_secret),
        suite.kdf,
      )
      const { keySchedule: keys } = epoch
      expect(vector).toMatchObject({
        joiner_secret: hex(epoch.joinerSecret),
        welcome_secret: hex(epoch.welcomeSecret),
        encryption_secret: hex(epoch.encryptionSecret),
        init_secret: hex(keys.initSecret),
        sender_data_secret: hex(keys.senderDataSecret),
        exporter_secret: hex(keys.exporterSecret),
        epoch_authenticator: hex(keys.epochAuthenticator),
        external_secret: hex(keys.externalSecret),
        confirmation_key: hex(keys.confirmationKey),
        membership_key: hex(keys.membershipKey),
        resumption_psk: hex(keys.resumptionPsk),
      })
      // RFC 9420 §8.5 by its parts, which the crypto basics are about.
      const label = 'SFrame 1.0 Base Key'
      const exported = expandWithLabel(
        await deriveSecret(keys.exporterSecret, label, suite.kdf),
        'exported',
        await suite.hash.digest(new Uint8Array()),
        16,
        suite.kdf,
      )
      const own = await mlsExporter(keys.exporterSecret, label, new Uint8Array(), 16, suite)
      expect(hex(own)).toBe(hex(await exported))
      const { publicKey } = await suite.hpke.deriveKeyPair(keys.externalSecret)
      expect(hex(await suite.hpke.exportPublicKey(publicKey))).toBe(vector.external_pub)
      initSecret = keys.initSecret
    }
  })

  test('message protection', async () => {
    const vector = vectors.messageProtection
    const context: GroupContext = {
      version: 'mls10',
      cipherSuite: SUITE,
      groupId: bytes(vector.group_id),
      epoch: BigInt(vector.epoch),
      treeHash: bytes(vector.tree_hash),
      confirmedTranscriptHash: bytes(vector.confirmed_transcript_hash),
      extensions: [],
    }
    const signer = bytes(vector.signature_pub)
    const sent = decoded(bytes(vector.application_priv))
    if (sent.wireformat !== 'mls_private_message') throw new Error('another message')
    const opened = await unprotectPrivateMessage(
      bytes(vector.sender_data_secret),
      sent.privateMessage,
      await createSecretTree(2, bytes(vector.encryption_secret), suite.kdf),
      [],
      context,
      defaultClientConfig.keyRetentionConfig,
      suite,
      signer,
    )
    const { content } = opened.content
    expect(content.contentType === 'application' && hex(content.applicationData)).toBe(
      vector.application,
    )
    const commit = decoded(bytes(vector.commit_pub))
    if (commit.wireformat !== 'mls_public_message') throw new Error('another message')
    const membership = bytes(vector.membership_key)
    const open = (key: Uint8Array) =>
      unprotectPublicMessage(membership, context, [], commit.publicMessage, suite, key)
    expect(await open(signer)).toMatchObject({ content: { commit: { proposals: [] } } })
    await expect(open(unprefixed(vectors.cryptoBasics.sign_with_label.pub))).rejects.toThrow()
  })

  test('a passive client enters by a welcome and follows the others’ commits', async () => {
    const vector = vectors.passiveClient
    let state = await entered(vector)
    expect(hex(state.keySchedule.epochAuthenticator)).toBe(vector.initial_epoch_authenticator)
    for (const { commit, epoch_authenticator } of vector.epochs) {
      const message = decoded(bytes(commit))
      if (message.wireformat !== 'mls_public_message') throw new Error('another message')
      const result = await processMessage(message, state, emptyPskIndex, () => 'accept', suite)
      if (result.kind !== 'newState') throw new Error('no commit')
      state = result.newState
      expect(hex(state.keySchedule.epochAuthenticator)).toBe(epoch_authenticator)
    }
  })
})

async function entered(vector: typeof vectors.passiveClient): Promise<ClientState> {
  const offer = decoded(bytes(vector.key_package))
  const welcome = decoded(bytes(vector.welcome))
  if (offer.wireformat !== 'mls_key_package' || welcome.wireformat !== 'mls_welcome') {
    throw new Error('other messages')
  }
  const privatePackage = {
    initPrivateKey: bytes(vector.init_priv),
    hpkePrivateKey: bytes(vector.encryption_priv),
    signaturePrivateKey: bytes(vector.signature_priv),
  }
  return joinGroup(welcome.welcome, offer.keyPackage, privatePackage, emptyPskIndex, suite)
}

/** Keys are written there with their length before them. */
function unprefixed(text: string): Uint8Array {
  return bytes(text).subarray(1)
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

function hex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
