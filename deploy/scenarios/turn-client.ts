import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { mintCredentials } from '@parley/turn/credentials'
import type { Attribute, Family, Message } from '@parley/turn/wire'
import {
  ERROR_CODE,
  NONCE,
  PROTOCOL_UDP,
  REALM,
  USERNAME,
  XOR_PEER_ADDRESS,
  XOR_RELAYED_ADDRESS,
  attributeValue,
  classes,
  credentialText,
  decodeMessage,
  encodeMessage,
  endpointOf,
  longTermKey,
  methods,
  parseAddress,
  readErrorCode,
  readXorAddress,
  requestedAddressFamily,
  requestedTransport,
  transactionIdOf,
  xorAddress,
} from '@parley/turn/wire'

/** An answer: 0 for success, else the STUN error code. */
export interface Answer {
  readonly code: number
  readonly message: Message
}

/** A TURN client over UDP on loopback that meets a challenge once for each request. */
export class TurnClient {
  readonly #socket: Socket
  readonly #port: number
  readonly #credentials: { readonly username: string; readonly password: string }
  #challenge: { readonly realm: string; readonly nonce: string } | undefined
  #transactions = 0

  private constructor(
    socket: Socket,
    port: number,
    credentials: { readonly username: string; readonly password: string },
  ) {
    this.#socket = socket
    this.#port = port
    this.#credentials = credentials
  }

  /** A client whose credentials are an hour's, minted at `mintedAt` (epoch ms). */
  static async open(
    port: number,
    { secret, mintedAt = Date.now() }: { readonly secret: string; readonly mintedAt?: number },
  ): Promise<TurnClient> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const order = { user: 'alice', secret, lifetimeSeconds: 3_600 }
    return new TurnClient(socket, port, mintCredentials(order, mintedAt))
  }

  /** The realm of the last challenge. */
  get realm(): string | undefined {
    return this.#challenge?.realm
  }

  /** Asks for a relay. */
  async allocate(family: Family = 4): Promise<Answer> {
    const transport = requestedTransport(PROTOCOL_UDP)
    return this.#ask(
      methods.allocate,
      family === 4 ? [transport] : [transport, requestedAddressFamily(family)],
    )
  }

  /** Asks for a permission for each address by itself: address → code. */
  async permissionsFor(addresses: readonly string[]): Promise<Record<string, number>> {
    const codes: Record<string, number> = {}
    for (const text of addresses) {
      const address = parseAddress(text)
      if (address === undefined) throw new Error(`${text} is not an address`)
      const id = this.#nextTransaction()
      const peer = xorAddress(XOR_PEER_ADDRESS, endpointOf(address, 9), id)
      codes[text] = (await this.#ask(methods.createPermission, [peer], id)).code
    }
    return codes
  }

  close(): void {
    this.#socket.close()
  }

  async #ask(
    method: number,
    attributes: readonly Attribute[],
    transactionId = this.#nextTransaction(),
  ): Promise<Answer> {
    const answer = await this.#exchange(method, attributes, transactionId)
    if (answer.code !== 401 && answer.code !== 438) return answer
    const { message } = answer
    const realm = attributeValue(message, REALM)
    const nonce = attributeValue(message, NONCE)
    if (!realm || !nonce) throw new Error('the challenge lacks its realm or its nonce')
    this.#challenge = {
      realm: Buffer.from(realm).toString(),
      nonce: Buffer.from(nonce).toString(),
    }
    return this.#exchange(method, attributes, transactionId)
  }

  async #exchange(
    method: number,
    attributes: readonly Attribute[],
    transactionId: Uint8Array,
  ): Promise<Answer> {
    const { username, password } = this.#credentials
    const challenge = this.#challenge
    const request = encodeMessage({
      method,
      messageClass: classes.request,
      transactionId,
      attributes: challenge
        ? [
            ...attributes,
            credentialText(USERNAME, username),
            credentialText(REALM, challenge.realm),
            credentialText(NONCE, challenge.nonce),
          ]
        : attributes,
      integrityKey: challenge && longTermKey(username, challenge.realm, password),
    })
    const answered = once(this.#socket, 'message')
    this.#socket.send(request, this.#port, '127.0.0.1')
    const [bytes] = (await answered) as [Uint8Array]
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) throw new Error(`the answer is not a message: ${decoded.reason}`)
    return { code: codeOf(decoded.message), message: decoded.message }
  }

  #nextTransaction(): Uint8Array {
    this.#transactions += 1
    const id = Buffer.alloc(12)
    id.writeUInt32BE(this.#transactions, 8)
    return id
  }
}

/** The relayed address that an Allocate success gives. */
export function relayedAddress({ message }: Answer) {
  const value = attributeValue(message, XOR_RELAYED_ADDRESS)
  return value && readXorAddress(value, transactionIdOf(message))
}

function codeOf(message: Message): number {
  if (message.messageClass === classes.success) return 0
  const value = attributeValue(message, ERROR_CODE)
  return (value && readErrorCode(value)?.code) ?? -1
}
