import type { Attribute, Endpoint, Message } from '../src/wire/index.ts'
import {
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
  lifetime,
  longTermKey,
  methods,
  parseAddress,
  readXorAddress,
  requestedTransport,
  transactionIdOf,
  xorAddress,
} from '../src/wire/index.ts'

/** A name and a password of the long-term mechanism. */
export interface Login {
  readonly username: string
  readonly password: string
}

let transactions = 0

/** A client's half of TURN: makes requests, and remembers the challenge. */
export class TurnSession {
  readonly #login: Login
  #realm = ''
  #nonce = ''
  #key: Uint8Array | undefined

  constructor(login: Login) {
    this.#login = login
  }

  /** `seconds`: the lifetime that is asked for; else the server's default. */
  allocate(seconds?: number): Uint8Array {
    const wish = seconds === undefined ? [] : [lifetime(seconds)]
    return this.#request(methods.allocate, () => [requestedTransport(PROTOCOL_UDP), ...wish])
  }

  release(): Uint8Array {
    return this.#request(methods.refresh, () => [lifetime(0)])
  }

  bindChannel(channel: number, peerPort: number): Uint8Array {
    return this.#request(methods.channelBind, (id) => [
      channelNumber(channel),
      xorAddress(XOR_PEER_ADDRESS, loopback(peerPort), id),
    ])
  }

  permit(peerPort: number): Uint8Array {
    return this.#request(methods.createPermission, (id) => [
      xorAddress(XOR_PEER_ADDRESS, loopback(peerPort), id),
    ])
  }

  /** Takes an answer; gives back whether it is a success. */
  absorb(bytes: Uint8Array): Message {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) throw new Error('the answer is not STUN')
    const realm = attributeValue(decoded.message, REALM)
    const nonce = attributeValue(decoded.message, NONCE)
    if (realm && nonce) {
      this.#realm = Buffer.from(realm).toString()
      this.#nonce = Buffer.from(nonce).toString()
      this.#key ??= longTermKey(this.#login.username, this.#realm, this.#login.password)
    }
    return decoded.message
  }

  #request(method: number, build: (id: Uint8Array) => readonly Attribute[]): Uint8Array {
    const transactionId = newTransactionId()
    const attributes = build(transactionId)
    const identity = [
      credentialText(USERNAME, this.#login.username),
      credentialText(REALM, this.#realm),
      credentialText(NONCE, this.#nonce),
    ]
    return encodeMessage({
      method,
      messageClass: classes.request,
      transactionId,
      attributes: this.#key ? [...attributes, ...identity] : attributes,
      integrityKey: this.#key,
    })
  }
}

/** A Binding request, to see whether a server is up. */
export function bindingRequest(): Uint8Array {
  return encodeMessage({
    method: methods.binding,
    messageClass: classes.request,
    transactionId: newTransactionId(),
    attributes: [],
  })
}

/** A Send indication. */
export function sendIndication(peerPort: number, payload: Uint8Array): Uint8Array {
  const transactionId = newTransactionId()
  return encodeMessage({
    method: methods.send,
    messageClass: classes.indication,
    transactionId,
    attributes: [xorAddress(XOR_PEER_ADDRESS, loopback(peerPort), transactionId), data(payload)],
  })
}

/** Whether these bytes are a payload from a peer, and no answer. */
export function isDataIndication(bytes: Uint8Array): boolean {
  const decoded = decodeMessage(bytes)
  return decoded.ok && decoded.message.messageClass === classes.indication
}

export function isSuccess(message: Message): boolean {
  return message.messageClass === classes.success
}

/** The port of an Allocate success. */
export function relayedPortOf(message: Message): number {
  const value = attributeValue(message, XOR_RELAYED_ADDRESS)
  const relayed = value && readXorAddress(value, transactionIdOf(message))
  if (!isSuccess(message) || !relayed) throw new Error('the server did not allocate')
  return relayed.port
}

function loopback(port: number): Endpoint {
  return endpointOf(parseAddress('127.0.0.1') ?? 0, port)
}

function newTransactionId(): Uint8Array {
  const id = Buffer.alloc(12, 0x42)
  id.writeUInt32BE(++transactions, 8)
  return id
}
