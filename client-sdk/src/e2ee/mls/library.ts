/**
 * What is used of ts-mls, by its own modules: its main door also opens a second cryptography that
 * is not installed here. The set-up mends one of these modules (`tools/setup/mls-patch.mjs`).
 */
export { createGroup, joinGroup } from 'ts-mls/clientState.js'
export type { ClientState } from 'ts-mls/clientState.js'
export { defaultClientConfig } from 'ts-mls/clientConfig.js'
export type { ClientConfig } from 'ts-mls/clientConfig.js'
export {
  createCommit,
  createGroupInfoWithExternalPubAndRatchetTree,
  joinGroupExternal,
} from 'ts-mls/createCommit.js'
export { createApplicationMessage } from 'ts-mls/createMessage.js'
export { getCiphersuiteFromName } from 'ts-mls/crypto/ciphersuite.js'
export type { CiphersuiteImpl } from 'ts-mls/crypto/ciphersuite.js'
export { getCiphersuiteImpl } from 'ts-mls/crypto/getCiphersuiteImpl.js'
export { generateKeyPackageWithKey } from 'ts-mls/keyPackage.js'
export type { KeyPackage, PrivateKeyPackage } from 'ts-mls/keyPackage.js'
export { mlsExporter } from 'ts-mls/keySchedule.js'
export { decodeMlsMessage, encodeMlsMessage } from 'ts-mls/message.js'
export type { MLSMessage } from 'ts-mls/message.js'
export { decryptSenderData } from 'ts-mls/privateMessage.js'
export type { PrivateMessage } from 'ts-mls/privateMessage.js'
export { processMessage } from 'ts-mls/processMessages.js'
export type { Proposal } from 'ts-mls/proposal.js'
export { emptyPskIndex } from 'ts-mls/pskIndex.js'
export { decodeRatchetTree } from 'ts-mls/ratchetTree.js'
export { zeroOutUint8Array } from 'ts-mls/util/byteArray.js'
