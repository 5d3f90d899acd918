/**
 * Doubles for tests of this workspace: the client's half of TURN without sockets.
 *
 * @module
 */
import { mintCredentials } from './credentials.ts'
import type { Attribute, DecodeResult, Endpoint, Message } from './wire/index.ts'
import {
  ERROR_CODE,
  NONCE,
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
  readErrorCode,
  readXorAddress,
  requestedTransport,
  transactionIdOf,
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

/** Speaks TURN: builds requests and remembers the challenge that answers carry. */
export class TurnDialogue {
  readonly username: string
  readonly #password: string
  #realm: string | undefined
  #nonce: string | undefined
  #lastTransaction = 0

  constructor({
    user = 'alice',
    secret = testSecret,
    lifetimeSeconds = 86_400,
    now = Date.now(),
  }: { user?: string; secret?: string; lifetimeSeconds?: number; now?: number } = {}) {
    const credentials = mintCredentials({ user, secret, lifetimeSeconds }, now)
    this.username = credentials.username
    this.#password = credentials.password
  }

  get nonce(): string | undefined {
    return this.#nonce
  }

  /** The key that requests and answers are signed with. */
  get key(): Uint8Array {
    return longTermKey(this.username, this.#realm ?? testRealm, this.#password)
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
    return [
      credentialText(USERNAME, this.username),
      credentialText(REALM, this.#realm ?? testRealm),
      credentialText(NONCE, this.#nonce ?? ''),
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
