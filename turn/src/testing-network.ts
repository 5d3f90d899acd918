import type { Client, Transport } from './core/allocation.ts'
import { Commons, newCommonsMemory } from './core/commons.ts'
import type { CommonsMemory } from './core/commons.ts'
import { PeerPolicy } from './core/peer-policy.ts'
import type { PeerPolicyParts } from './core/peer-policy.ts'
import { frameForClient } from './core/relay.ts'
import type { Command, Limits, Relayed, ServerConfig } from './core/server-state.ts'
import { defaultLimits } from './core/server-state.ts'
import { TurnServer } from './core/server.ts'
import type { StaticUser } from './credential-store.ts'
import { CredentialStore } from './credential-store.ts'
import {
  TurnDialogue,
  codeOf,
  countingRandom,
  endpoint,
  relayedAddressOf,
  testRealm,
  testSecret,
} from './testing.ts'
import type { Endpoint, IpAddress, Message } from './wire/index.ts'
import { encodeChannelData, familyOf } from './wire/index.ts'

/** A moment to begin at, epoch ms. */
const START = 1_800_000_000_000
const LISTENER_PORT = 3478

/** A datagram that left a relay. */
export interface SentToPeer {
  readonly relayPort: number
  readonly peer: string
  readonly payload: string
}

/** What differs from a plain server. */
export interface VirtualTurnOptions {
  readonly policy?: Partial<PeerPolicyParts>
  readonly limits?: Partial<Limits>
  readonly secrets?: readonly string[]
  readonly relayPorts?: { readonly first: number; readonly last: number }
  readonly withIpv6?: boolean
  readonly users?: readonly StaticUser[]
  /** Shared with other workers, of which this is number `worker`. */
  readonly memory?: CommonsMemory
  readonly worker?: number
  readonly config?: Partial<ServerConfig>
}

/** The core with clients and peers around it, on virtual time. */
export class VirtualTurn {
  readonly server: TurnServer
  readonly policy: PeerPolicy
  readonly sentToPeers: SentToPeer[] = []
  readonly commands: Command[] = []
  /** Relay ports that other processes hold. */
  readonly portsInUse = new Set<number>()
  /** While set, `bindRelay` commands wait in {@link commands} instead of being answered. */
  holdsBinds = false
  now = START
  readonly #clients = new Map<Client, VirtualClient>()
  readonly #random = countingRandom()

  constructor(options: VirtualTurnOptions = {}) {
    const { relayPorts = { first: 50_000, last: 50_099 }, secrets = [testSecret] } = options
    const { users = [], worker = 0 } = options
    const { memory = newCommonsMemory({ workers: 1, ports: relayPorts, seed: 1 }) } = options
    const limits = { ...defaultLimits, ...options.limits }
    const announced = { 4: address('203.0.113.1'), 6: address('2001:db8::1') }
    const offered = options.withIpv6 ? announced : { 4: announced[4] }
    this.policy = new PeerPolicy({
      allow: [],
      deny: [],
      ownAddresses: [announced[4], announced[6]],
      relayAddresses: [announced[4], announced[6]],
      relayPorts,
      ...options.policy,
    })
    this.policy.addListenerPort(LISTENER_PORT)
    this.server = new TurnServer({
      realm: testRealm,
      announced: offered,
      bound: offered,
      defaultFamily: 'ipv4',
      endsWithCredential: false,
      policy: this.policy,
      limits,
      commons: new Commons(memory, worker, limits),
      nonceKey: new Uint8Array(32).fill(7),
      random: this.#random,
      credentials: new CredentialStore(
        { secrets, users },
        { realm: testRealm, maxLifetimeMs: 604_800_000, decoy: 'nobody knows this one' },
      ),
      ...options.config,
    })
    this.server.sweep(this.now, this.now)
  }

  /** A client on a 5-tuple of its own; datagram clients are made anew for each packet, as outside. */
  client(
    port: number,
    {
      user = 'alice',
      host = '198.51.100.7',
      transport = 'udp',
      secret = testSecret,
      lifetimeSeconds = 86_400,
      password,
    }: {
      user?: string
      host?: string
      transport?: Transport
      secret?: string
      lifetimeSeconds?: number
      password?: string
    } = {},
  ): VirtualClient {
    const dialogue = new TurnDialogue({ user, secret, lifetimeSeconds, now: this.now, password })
    return new VirtualClient(this, endpoint(host, port), { transport, dialogue })
  }

  /** A peer's datagram to a relay. */
  peerSends(from: Endpoint, to: Endpoint, payload: string): void {
    const bytes = Buffer.from(payload)
    for (const command of this.commands) {
      if (command.type !== 'bindRelay' || command.relay.relayed.port !== to.port) continue
      if (command.relay.family !== familyOf(to.address)) continue
      const relayed = this.server.fromPeer(command.relay, from, bytes.length, this.now)
      if (relayed) this.deliver(relayed, bytes)
    }
  }

  /** Lets time pass, with the sweep that the shell makes each second. */
  pass({ seconds }: { seconds: number }): void {
    this.now += seconds * 1000
    this.server.sweep(this.now, this.now)
    this.run()
  }

  /** Lets time pass without a sweep. */
  passUnswept({ seconds }: { seconds: number }): void {
    this.now += seconds * 1000
  }

  register(client: Client, owner: VirtualClient): void {
    this.#clients.set(client, owner)
  }

  deliver(relayed: Relayed, bytes: Uint8Array): void {
    const payload = bytes.subarray(relayed.offset, relayed.offset + relayed.length)
    if (relayed.to === 'client') {
      const frame = frameForClient(relayed, payload, this.#random)
      this.#clients.get(relayed.allocation.client)?.inbox.push(frame)
      return
    }
    this.sentToPeers.push({
      relayPort: relayed.relay.relayed.port,
      peer: `${relayed.peer.host}:${relayed.peer.port}`,
      payload: Buffer.from(payload).toString(),
    })
  }

  /** Runs commands until there are none. */
  run(): void {
    for (let list = this.server.takeCommands(); list.length > 0;) {
      for (const command of list) this.#runOne(command)
      list = this.server.takeCommands()
    }
  }

  /** How often a kind of command was given. */
  countOf(type: Command['type']): number {
    return this.commands.filter((command) => command.type === type).length
  }

  #runOne(command: Command): void {
    this.commands.push(command)
    if (command.type === 'sendToClient') {
      this.#clients.get(command.client)?.inbox.push(command.bytes)
    }
    if (command.type !== 'bindRelay' || this.holdsBinds) return
    if (this.portsInUse.has(command.relay.relayed.port)) {
      this.server.relayFailed(command.relay, 'portInUse', this.now)
    } else {
      this.server.relayBound(command.relay, this.now)
    }
  }
}

/** A TURN client on the virtual network. */
export class VirtualClient {
  readonly inbox: Uint8Array[] = []
  readonly dialogue: TurnDialogue
  readonly endpoint: Endpoint
  readonly #turn: VirtualTurn
  readonly #transport: Transport
  readonly #stream: Client | undefined

  constructor(
    turn: VirtualTurn,
    at: Endpoint,
    { transport, dialogue }: { transport: Transport; dialogue: TurnDialogue },
  ) {
    this.#turn = turn
    this.endpoint = at
    this.dialogue = dialogue
    this.#transport = transport
    this.#stream = transport === 'udp' ? undefined : this.#newClient()
  }

  /** Hands bytes to the server and gives back what came in answer. */
  send(bytes: Uint8Array): readonly Uint8Array[] {
    const before = this.inbox.length
    const { server, now } = this.#turn
    const { address: from, port } = this.endpoint
    const client = this.#stream ?? server.datagramClient(0, from, port) ?? this.#newClient()
    const relayed = server.fromClient(client, bytes, now)
    if (relayed) this.#turn.deliver(relayed, bytes)
    this.#turn.run()
    return this.inbox.slice(before)
  }

  /** Sends a request, again when it is challenged; gives back the answer. */
  converse(build: (dialogue: TurnDialogue) => Uint8Array): Message {
    const first = this.#answerTo(build(this.dialogue))
    const code = codeOf(first)
    return code === 401 || code === 438 ? this.#answerTo(build(this.dialogue)) : first
  }

  /** As {@link converse}, giving back the code: 0 for success. */
  ask(build: (dialogue: TurnDialogue) => Uint8Array): number {
    return codeOf(this.converse(build))
  }

  /** Gets a nonce, as from the challenge of an earlier request. */
  getChallenged(): this {
    this.#answerTo(this.dialogue.allocate())
    return this
  }

  /** Allocates and gives back the relayed address. */
  allocate(): Endpoint {
    return relayedAddressOf(this.converse((dialogue) => dialogue.allocate()))
  }

  sendOnChannel(channel: number, payload: string): void {
    this.send(encodeChannelData(channel, Buffer.from(payload), { padded: false }))
  }

  /** Ends a stream client's connection. */
  disconnect(): void {
    if (this.#stream) this.#turn.server.clientGone(this.#stream)
    this.#turn.run()
  }

  #answerTo(request: Uint8Array): Message {
    const [answer] = this.send(request)
    if (!answer) throw new Error('there was no answer')
    return this.dialogue.absorb(answer)
  }

  #newClient(): Client {
    const client: Client = {
      transport: this.#transport,
      route: 0,
      endpoint: this.endpoint,
      allocation: undefined,
    }
    this.#turn.register(client, this)
    return client
  }
}

function address(text: string): IpAddress {
  return endpoint(text, 0).address
}
