import type { Client, Transport } from './core/allocation.ts'
import { PeerPolicy } from './core/peer-policy.ts'
import type { PeerPolicyParts } from './core/peer-policy.ts'
import { frameForClient } from './core/relay.ts'
import type { Command, Limits, Relayed } from './core/server-state.ts'
import { defaultLimits } from './core/server-state.ts'
import { TurnServer } from './core/server.ts'
import { checkUsername, passwordFor } from './credentials.ts'
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
import { encodeChannelData, longTermKey } from './wire/index.ts'

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
    const announced = { 4: address('203.0.113.1'), 6: address('2001:db8::1') }
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
      announced: options.withIpv6 ? announced : { 4: announced[4] },
      relayPorts,
      policy: this.policy,
      limits: { ...defaultLimits, ...options.limits },
      nonceKey: new Uint8Array(32).fill(7),
      random: this.#random,
      credentials: (username, wallMs) => {
        const check = checkUsername(username, wallMs)
        const keyUnder = (secret: string) =>
          longTermKey(username, testRealm, passwordFor(username, secret))
        return { user: check.ok ? check.user : undefined, keys: secrets.map(keyUnder) }
      },
    })
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
    }: {
      user?: string
      host?: string
      transport?: Transport
      secret?: string
      lifetimeSeconds?: number
    } = {},
  ): VirtualClient {
    const dialogue = new TurnDialogue({ user, secret, lifetimeSeconds, now: this.now })
    return new VirtualClient(this, endpoint(host, port), { transport, dialogue })
  }

  /** A peer's datagram to a relay. */
  peerSends(from: Endpoint, to: Endpoint, payload: string): void {
    const bytes = Buffer.from(payload)
    for (const command of this.commands) {
      if (command.type !== 'bindRelay' || command.allocation.relayed.port !== to.port) continue
      const relayed = this.server.fromPeer(command.allocation, from, bytes.length, this.now)
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
      relayPort: relayed.allocation.relayed.port,
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
    if (this.portsInUse.has(command.allocation.relayed.port)) {
      this.server.relayFailed(command.allocation, 'portInUse')
    } else {
      this.server.relayBound(command.allocation, this.now)
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
