import type { Attribute, IntegrityHash, Message, PasswordAlgorithm } from '../wire/index.ts'
import {
  NONCE,
  REALM,
  classes,
  credentialText,
  encodeMessage,
  errorCode,
  methods,
  passwordAlgorithms,
  transactionIdOf,
} from '../wire/index.ts'
import type { Client } from './allocation.ts'
import { offeredAlgorithms } from './authentication.ts'
import { issueNonce } from './nonce.ts'
import type { ServerState } from './server-state.ts'
import type { StunError } from './stun-errors.ts'

/** A request that has shown who sent it. */
export interface Request {
  readonly client: Client
  readonly message: Message
  readonly user: string
  readonly username: string
  readonly key: Uint8Array
  readonly passwordAlgorithm: PasswordAlgorithm
  /** The hash that the request was signed with, as its answer is. */
  readonly integrityHash: IntegrityHash
  /** Epoch ms; `undefined` when the credential does not end. */
  readonly credentialExpiresAt: number | undefined
}

/** What a request comes to; success carries its attributes. */
export type Reply =
  | { readonly ok: true; readonly attributes: readonly Attribute[] }
  | {
      readonly ok: false
      readonly error: StunError
      readonly attributes?: readonly Attribute[]
    }

/** Answers a request, signed with its own key. RFC 8489 §9.2.5. Gives back the bytes sent. */
export function reply(state: ServerState, request: Request, answer: Reply): Uint8Array {
  const { client, message, key, integrityHash } = request
  const attributes = answer.ok
    ? answer.attributes
    : [errorCode(answer.error.code, answer.error.reason), ...(answer.attributes ?? [])]
  const bytes = encodeMessage({
    method: message.method,
    messageClass: answer.ok ? classes.success : classes.error,
    transactionId: transactionIdOf(message),
    attributes,
    integrityKey: key,
    integrityHash,
  })
  const code = answer.ok ? 0 : answer.error.code
  state.config.commons.counters.countResponse(message.method, code)
  state.commands.push({ type: 'sendToClient', client, bytes })
  return bytes
}

/**
 * Answers somebody who has not shown who they are, whose address may be forged: unsigned, without
 * words, and at a bounded rate over UDP. Streams have proven their address.
 */
export function unsafeUnauthenticatedReply(
  state: ServerState,
  client: Client,
  message: Message,
  { attributes, code, now }: { attributes: readonly Attribute[]; code: number; now: number },
): void {
  const { commons } = state.config
  const kind = message.method === methods.binding ? 'binding' : 'stranger'
  if (client.transport === 'udp' && !commons.takeReply(kind, client.endpoint.address, now)) {
    commons.counters.countDrop('replyLimit')
    return
  }
  const bytes = encodeMessage({
    method: message.method,
    messageClass: code === 0 ? classes.success : classes.error,
    transactionId: transactionIdOf(message),
    attributes: code === 0 ? attributes : [errorCode(code, ''), ...attributes],
  })
  commons.counters.countResponse(message.method, code)
  state.commands.push({ type: 'sendToClient', client, bytes })
}

/**
 * REALM, a fresh NONCE and the algorithms to choose from, which let a client try (again). RFC 8489
 * §9.2.4.
 */
export function challengeAttributes(
  state: ServerState,
  client: Client,
  now: number,
): readonly Attribute[] {
  const nonce = issueNonce(state.nonceKey, client.endpoint, now + state.wallOffsetMs)
  return [
    credentialText(REALM, state.config.realm),
    credentialText(NONCE, nonce),
    passwordAlgorithms(offeredAlgorithms),
  ]
}
