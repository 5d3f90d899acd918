import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Carrier, Transport } from './carrier.ts'
import { DatagramEnd, openCarrier } from './carrier.ts'
import type { Attr, Draft, Parsed } from './stun-bytes.ts'
import {
  attr,
  build,
  byte,
  channel,
  codeOf,
  find,
  longTermKey,
  messageClass,
  method,
  newId,
  parse,
  readXorAddress,
  text,
  verifies,
  xorAddress,
} from './stun-bytes.ts'

/** A name and a password of the long-term mechanism. */
export interface Login {
  readonly username: string
  readonly password: string
}

export type Ports = Readonly<Partial<Record<Transport, number>>>

/** A server as the checks see it. */
export interface Subject {
  readonly name: string
  readonly realm: string
  readonly ports: Ports
  /** Those on IPv6, where it listens there. */
  readonly ports6?: Ports
  /** A login of a user; `undefined` where the server knows one user only and this is another. */
  login(user: string): Login | undefined
  /** Makes a TURN REST login as asked, where the server takes them. */
  restLogin?(username: string, secret: 'newest' | 'older' | 'unknown'): Login
  readonly hasIpv6: boolean
  /** How many allocations a user may have, where that is few enough to try. */
  readonly userQuota?: number
  stop(): Promise<void>
}

/** The user when it does not matter which. */
export const ANYBODY = 'alice'

/** A check that a server, or a transport, has no occasion for; the reason stands in the table. */
export class NotApplicable extends Error {}

/** One check of the reference's list. */
export interface Check {
  /** Its number there. */
  readonly number: number
  /** What must hold, in a few words. */
  readonly title: string
  /** Where it makes a difference; all transports when it is left out. */
  readonly transports?: readonly Transport[]
  readonly run: (trial: Trial) => Promise<void>
}

/** What a check works with. It closes what was opened. */
export class Trial {
  readonly subject: Subject
  readonly transport: Transport
  /** A user of this trial alone. */
  readonly ownUser = `user-${randomUUID()}`
  readonly #opened: { close(): void }[] = []

  constructor(subject: Subject, transport: Transport) {
    this.subject = subject
    this.transport = transport
  }

  /** A new 5-tuple. */
  async client(user: string = ANYBODY): Promise<Client> {
    return this.clientOf(this.#loginOf(user))
  }

  clientOverIpv6(): Promise<Client> {
    return this.#connect(this.#loginOf(ANYBODY), '::1', this.subject.ports6)
  }

  clientOf(login: Login): Promise<Client> {
    return this.#connect(login, '127.0.0.1', this.subject.ports)
  }

  #loginOf(user: string): Login {
    const login = this.subject.login(user)
    if (!login) throw new NotApplicable('knows one user only')
    return login
  }

  async #connect(login: Login, host: string, ports: Ports | undefined): Promise<Client> {
    const port = ports?.[this.transport]
    if (port === undefined) throw new NotApplicable(`no ${this.transport}`)
    const carrier = await openCarrier(this.transport, port, host)
    this.#opened.push(carrier)
    return new Client(carrier, login, this.subject.realm)
  }

  /** A client with an allocation. */
  async allocated(user: string = ANYBODY): Promise<Client> {
    const client = await this.client(user)
    await client.allocate()
    return client
  }

  /** A peer on loopback. */
  async peer(host = '127.0.0.1'): Promise<DatagramEnd> {
    const { ports, ports6 } = this.subject
    // A server relays to no port on which it listens, be that of another transport.
    const listened = new Set([...Object.values(ports), ...Object.values(ports6 ?? {})])
    const end = await DatagramEnd.openOff(listened, host)
    this.#opened.push(end)
    return end
  }

  close(): void {
    for (const one of this.#opened.splice(0)) one.close()
  }
}

/** A TURN client that can be as wrong as a check wants it. */
export class Client {
  readonly carrier: Carrier
  readonly login: Login
  realm: string
  nonce = ''
  /** Where peers reach it, once it has an allocation. */
  relayed = { host: '', port: 0 }

  constructor(carrier: Carrier, login: Login, realm: string) {
    this.carrier = carrier
    this.login = login
    this.realm = realm
  }

  get key(): Buffer {
    return longTermKey('md5', this.login.username, this.realm, this.login.password)
  }

  send(bytes: Uint8Array): void {
    this.carrier.send(bytes)
  }

  /** Sends a message and gives back its answer. */
  async ask(draft: Draft): Promise<Parsed> {
    const id = draft.id ?? newId()
    this.send(build({ ...draft, id }))
    const answer = parse(await this.carrier.next())
    if (!answer.id.equals(id)) throw new Error('the answer is to another request')
    return answer
  }

  /** Gets a nonce, if there is none yet. */
  async challenge(): Promise<void> {
    if (this.nonce !== '') return
    const answer = await this.ask({ type: method.allocate, attrs: [udp] })
    this.nonce = String(find(answer, attr.nonce) ?? '')
    this.realm = String(find(answer, attr.realm) ?? this.realm)
  }

  identity(): readonly Attr[] {
    return [
      text(attr.username, this.login.username),
      text(attr.realm, this.realm),
      text(attr.nonce, this.nonce),
    ]
  }

  /** A signed request; `change` may spoil it. */
  async signed(
    type: number,
    attrs: readonly Attr[] = [],
    change: Partial<Draft> = {},
  ): Promise<Parsed> {
    await this.challenge()
    return this.ask({ type, attrs: [...attrs, ...this.identity()], key: this.key, ...change })
  }

  async code(type: number, attrs: readonly Attr[] = [], change: Partial<Draft> = {}) {
    return codeOf(await this.signed(type, attrs, change))
  }

  /** Allocates and remembers the relayed address. */
  async allocate(attrs: readonly Attr[] = []): Promise<Parsed> {
    const answer = await this.signed(method.allocate, [udp, ...attrs])
    equal(codeOf(answer), 0, 'code of Allocate')
    const relayed = find(answer, attr.xorRelayedAddress)
    if (!relayed) throw new Error('no XOR-RELAYED-ADDRESS')
    this.relayed = readXorAddress(relayed, answer.id)
    return answer
  }

  /** Asks for permissions and gives back the code. */
  permit(...peers: readonly { host: string; port: number }[]): Promise<number> {
    const id = newId()
    const attrs = peers.map((peer) => xorAddress(attr.xorPeerAddress, peer, id))
    return this.code(method.createPermission, attrs, { id })
  }

  /** Binds a channel and gives back the code. */
  bind(number: number, peer: { host: string; port: number }): Promise<number> {
    const id = newId()
    const attrs = [channel(number), xorAddress(attr.xorPeerAddress, peer, id)]
    return this.code(method.channelBind, attrs, { id })
  }

  /** A Send indication. */
  indicate(
    peers: readonly { host: string; port: number }[],
    payload: string | undefined,
    extra: readonly Attr[] = [],
  ): void {
    const id = newId()
    const to = peers.map((peer) => xorAddress(attr.xorPeerAddress, peer, id))
    const data = payload === undefined ? [] : [text(attr.data, payload)]
    const type = method.send | messageClass.indication
    this.send(build({ type, id, attrs: [...to, ...data, ...extra] }))
  }

  /**
   * Whether nothing came of what was sent before: requests of one client are answered in order, so
   * the next thing to come must be the answer to a Binding.
   */
  async expectSilence(): Promise<void> {
    const answer = await this.ask({ type: method.binding })
    equal(answer.type, method.binding | messageClass.success, 'what came where silence was due')
  }

  /** The payload that a Data indication or ChannelData brings, and how it came. */
  async data(): Promise<{ readonly by: number; readonly text: string; readonly port: number }> {
    const bytes = await this.carrier.next()
    const first = bytes.readUInt16BE(0)
    if (first >= 0x4000) {
      return { by: first, text: String(bytes.subarray(4, 4 + bytes.readUInt16BE(2))), port: 0 }
    }
    const message = parse(bytes)
    equal(message.type, method.data | messageClass.indication, 'type of a Data indication')
    const peer = find(message, attr.xorPeerAddress)
    if (!peer) throw new Error('a Data indication without a peer')
    const { port } = readXorAddress(peer, message.id)
    return { by: 0, text: String(find(message, attr.data)), port }
  }
}

/** REQUESTED-TRANSPORT for UDP. */
export const udp: Attr = byte(attr.requestedTransport, 17)

/** Fails the check unless the two are equal. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
}

/** Fails the check unless the value is one of those listed. */
export function oneOf(actual: number, expected: readonly number[], what: string): void {
  if (expected.includes(actual)) return
  throw new Error(`${what}: ${actual} instead of ${expected.join(' or ')}`)
}

/** Fails the check unless it holds. */
export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not so: ${what}`)
}

/** Fails the check unless the answer is signed with the key, where that is due. */
export function signedBy(answer: Parsed, client: Client): void {
  holds(verifies(answer, client.key), 'the answer carries a right MESSAGE-INTEGRITY')
}
