/**
 * Doubles for tests of this workspace: the client's half of TURN without sockets.
 *
 * @module
 */
import { mintCredentials } from './credentials.ts'
import type {
  Attribute,
  DecodeResult,
  Endpoint,
  IntegrityHash,
  Message,
  PasswordAlgorithm,
} from './wire/index.ts'
import {
  ERROR_CODE,
  NONCE,
  PASSWORD_ALGORITHMS,
  PROTOCOL_UDP,
  REALM,
  USERNAME,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
  attributeValue,
  channelNumber,
  classes,
  credentialText,
  data,
  decodeMessage,
  encodeMessage,
  endpointOf,
  longTermKey,
  methods,
  parseAddress,
  passwordAlgorithm,
  readErrorCode,
  readXorAddress,
  requestedTransport,
  transactionIdOf,
  userHash,
  writeUint32,
  xorAddress,
} from './wire/index.ts'

export const testSecret = 'a secret for tests'
export const testRealm = 'parley'

/** Randomness that counts, so that a failing test fails again. */
export function countingRandom(seed = 1): (byteCount: number) => Uint8Array {
  let state = seed
  return (byteCount) =>
    Uint8Array.from({ length: byteCount }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    })
}

/** An endpoint from its text. */
export function endpoint(host: string, port: number): Endpoint {
  const address = parseAddress(host)
  if (address === undefined) throw new Error(`${host} is not an address`)
  return endpointOf(address, port)
}

/** Decodes what must be a message. */
export function mustDecode(bytes: Uint8Array): Message {
  const decoded: DecodeResult = decodeMessage(bytes)
  if (!decoded.ok) throw new Error(`not a message: ${decoded.reason} at ${decoded.offset}`)
  return decoded.message
}

/** The code of an error response, 0 for a success. */
export function codeOf(message: Message): number {
  if (message.messageClass === classes.success) return 0
  const value = attributeValue(message, ERROR_CODE)
  return (value && readErrorCode(value)?.code) ?? -1
}

/** The relayed address of an Allocate success. */
export function relayedAddressOf(message: Message): Endpoint {
  const value = attributeValue(message, XOR_RELAYED_ADDRESS)
  const address = value && readXorAddress(value, transactionIdOf(message))
  if (!address) throw new Error('the response has no relayed address')
  return address
}

/** How a client uses the long-term credential mechanism. RFC 8489 §9.2.3. */
export interface SigningScheme {
  /** Sent as PASSWORD-ALGORITHM, with the list that the server gave. */
  readonly algorithm: PasswordAlgorithm | undefined
  readonly hash: IntegrityHash
  readonly namesItselfBy: 'username' | 'userHash'
}

/** The way of RFC 5389, which browsers go. */
export const plainScheme: SigningScheme = {
  algorithm: undefined,
  hash: 'sha1',
  namesItselfBy: 'username',
}

/** The way of RFC 8489. */
export const modernScheme: SigningScheme = {
  algorithm: 'sha256',
  hash: 'sha256',
  namesItselfBy: 'username',
}

/** Speaks TURN: builds requests and remembers the challenge that answers carry. */
export class TurnDialogue {
  readonly username: string
  /** How requests are signed and name their user. */
  scheme: SigningScheme = plainScheme
  readonly #password: string
  #realm: string | undefined
  #nonce: string | undefined
  #algorithms: Uint8Array | undefined
  #lastTransaction = 0

  constructor({
    user = 'alice',
    secret = testSecret,
    lifetimeSeconds = 86_400,
    now = Date.now(),
    password,
  }: {
    user?: string
    secret?: string
    lifetimeSeconds?: number
    now?: number
    /** Of a static user, who needs no minted credentials. */
    password?: string | undefined
  } = {}) {
    const minted = mintCredentials({ user, secret, lifetimeSeconds }, now)
    this.username = password === undefined ? minted.username : user
    this.#password = password ?? minted.password
  }

  get nonce(): string | undefined {
    return this.#nonce
  }

  /** The key that requests and answers are signed with. */
  get key(): Uint8Array {
    const { algorithm = 'md5' } = this.scheme
    return longTermKey(this.username, this.#realm ?? testRealm, this.#password, algorithm)
  }

  /** Uses another nonce from here on. */
  useNonce(nonce: string): void {
    this.#nonce = nonce
    this.#realm ??= testRealm
  }

  /** A request, signed once a challenge has come. */
  request(method: number, attributes: readonly Attribute[] = []): Uint8Array {
    const isSigned = this.#nonce !== undefined && method !== methods.binding
    return encodeMessage({
      method,
      messageClass: classes.request,
      transactionId: this.#nextTransactionId(),
      attributes: isSigned ? [...attributes, ...this.#identity()] : attributes,
      integrityKey: isSigned ? this.key : undefined,
      integrityHash: this.scheme.hash,
    })
  }

  allocate(attributes: readonly Attribute[] = []): Uint8Array {
    return this.request(methods.allocate, [requestedTransport(PROTOCOL_UDP), ...attributes])
  }

  createPermission(peers: readonly Endpoint[]): Uint8Array {
    return this.#withPeers(methods.createPermission, peers, [])
  }

  channelBind(channel: number, peer: Endpoint): Uint8Array {
    return this.#withPeers(methods.channelBind, [peer], [channelNumber(channel)])
  }

  /** A Send indication. */
  send(peer: Endpoint, payload: Uint8Array, extra: readonly Attribute[] = []): Uint8Array {
    const transactionId = this.#nextTransactionId()
    return encodeMessage({
      method: methods.send,
      messageClass: classes.indication,
      transactionId,
      attributes: [xorAddress(XOR_PEER_ADDRESS, peer, transactionId), data(payload), ...extra],
    })
  }

  /** Remembers realm and nonce when the bytes are an answer that carries them. */
  absorb(bytes: Uint8Array): Message {
    const message = mustDecode(bytes)
    const realm = attributeValue(message, REALM)
    const nonce = attributeValue(message, NONCE)
    if (realm && nonce) {
      this.#realm = Buffer.from(realm).toString()
      this.#nonce = Buffer.from(nonce).toString()
      this.#algorithms = attributeValue(message, PASSWORD_ALGORITHMS)
    }
    return message
  }

  #withPeers(
    method: number,
    peers: readonly Endpoint[],
    attributes: readonly Attribute[],
  ): Uint8Array {
    // The XOR of IPv6 addresses needs the transaction id that the request will get.
    const transactionId = this.#transactionId(this.#lastTransaction + 1)
    const peerAttributes = peers.map((peer) => xorAddress(XOR_PEER_ADDRESS, peer, transactionId))
    return this.request(method, [...attributes, ...peerAttributes])
  }

  #identity(): readonly Attribute[] {
    const { algorithm, namesItselfBy } = this.scheme
    const realm = this.#realm ?? testRealm
    const name =
      namesItselfBy === 'username'
        ? credentialText(USERNAME, this.username)
        : userHash(this.username, realm)
    const identity = [name, credentialText(REALM, realm), credentialText(NONCE, this.#nonce ?? '')]
    if (algorithm === undefined) return identity
    return [
      ...identity,
      { type: PASSWORD_ALGORITHMS, value: this.#algorithms ?? new Uint8Array() },
      passwordAlgorithm(algorithm),
    ]
  }

  #nextTransactionId(): Uint8Array {
    return this.#transactionId(++this.#lastTransaction)
  }

  #transactionId(count: number): Uint8Array {
    const id = new Uint8Array(12).fill(0x5a)
    writeUint32(id, 8, count)
    return id
  }
}
