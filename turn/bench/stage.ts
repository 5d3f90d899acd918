import type { Message } from '../src/wire/index.ts'
import { CHANNEL_HEADER_BYTES, encodeChannelData } from '../src/wire/index.ts'
import type { Running } from './contender.ts'
import type { Answer, Flow, Generator } from './generator.ts'
import { STAMP_BYTES } from './generator.ts'
import {
  TurnSession,
  bindingRequest,
  isDataIndication,
  isSuccess,
  relayedPortOf,
  sendIndication,
} from './turn-session.ts'

const ANSWER_TIMEOUT_MS = 2_000
const FIRST_CHANNEL = 0x4000
/** The longest that servers grant, and more than a benchmark takes: node-turn cannot refresh. */
const LIFETIME_S = 3_600
/** Of ChannelData the first two bits are 01 (RFC 8656 section 12). */
const FIRST_CHANNEL_BYTE = 0x40

/** How payloads are carried between client and server. */
export type Carrier = 'channel' | 'indication'

/** Which way datagrams go. */
export type Direction = 'to peers' | 'to clients' | 'both ways'

/** What the datagrams of a run look like. */
export interface Shape {
  readonly carrier: Carrier
  readonly direction: Direction
  readonly payloadBytes: number
}

/** A client with an allocation, a permission and, for channels, a channel to its peer. */
interface Pair {
  readonly client: number
  readonly peer: number
  readonly peerPort: number
  readonly relayPort: number
  readonly channel: number
  /** None with a bare forwarder. */
  readonly session: TurnSession | undefined
}

/** Clients and peers around one contender, ready for loads of one carrier. */
export class Stage {
  readonly #running: Running
  readonly #pairs: readonly Pair[]

  private constructor(running: Running, pairs: readonly Pair[]) {
    this.#running = running
    this.#pairs = pairs
  }

  /** Waits until the contender answers, and sets up `count` pairs. */
  static set(
    generator: Generator,
    running: Running,
    { count, carrier }: { readonly count: number; readonly carrier: Carrier },
  ): Stage {
    const clients = generator.open(count)
    const peers = generator.open(count)
    const { login } = running
    if (login) awaitServer(generator, running.port)
    const pairs = clients.map((client, index) => {
      const peer = peers[index]
      if (!peer) throw new Error('every client has a peer')
      const channel = carrier === 'channel' && login ? FIRST_CHANNEL + index : 0
      const session = login && new TurnSession(login)
      const relayPort = session
        ? allocate(generator, { running, client: client.socket, session })
        : setUpForwarder(generator, { running, client: client.socket, peer })
      const ends = { client: client.socket, peer: peer.socket, peerPort: peer.port }
      return { ...ends, relayPort, channel, session }
    })
    const stage = new Stage(running, pairs)
    stage.renew(generator)
    return stage
  }

  /** Renews permissions and channels, which a whole benchmark outlives. */
  renew(generator: Generator): void {
    for (const { client, channel, peerPort, session } of this.#pairs) {
      if (!session) continue
      const at = { running: this.#running, client, session }
      const answer = ask(generator, at, () =>
        channel === 0 ? session.permit(peerPort) : session.bindChannel(channel, peerPort),
      )
      if (!isSuccess(answer)) throw new Error(`${this.#running.name} refused the peer`)
    }
  }

  /** The flows of a shape; those that go both ways take turns. */
  flows({ direction, payloadBytes }: Shape): readonly Flow[] {
    const payload = Buffer.alloc(Math.max(payloadBytes, STAMP_BYTES), 0x70)
    return this.#pairs.flatMap((pair) => {
      const toPeer = this.#fromClient(pair, payload)
      const { peer: socket, relayPort: port } = pair
      const toClient = { socket, port, datagram: payload, stampAt: 0 }
      if (direction === 'both ways') return [toPeer, toClient]
      return direction === 'to peers' ? [toPeer] : [toClient]
    })
  }

  #fromClient({ client: socket, channel, peerPort }: Pair, payload: Uint8Array): Flow {
    const { port, login } = this.#running
    if (!login) return { socket, port, datagram: payload, stampAt: 0 }
    if (channel !== 0) {
      const datagram = encodeChannelData(channel, payload, { padded: false })
      return { socket, port, datagram, stampAt: CHANNEL_HEADER_BYTES }
    }
    const datagram = sendIndication(peerPort, payload)
    return { socket, port, datagram, stampAt: datagram.length - payload.length }
  }
}

/** The client of a TURN server. */
interface Asker {
  readonly running: Running
  readonly client: number
  readonly session: TurnSession
}

/** Allocates; gives back the port of the relay. */
function allocate(generator: Generator, asker: Asker): number {
  return relayedPortOf(ask(generator, asker, () => asker.session.allocate(LIFETIME_S)))
}

/** Asks, and once more where that is refused: a nonce is wanted or has grown old. */
function ask(generator: Generator, asker: Asker, build: () => Uint8Array): Message {
  const once = () => {
    generator.send(asker.client, build(), asker.running.port)
    return asker.session.absorb(nextMessage(generator, asker))
  }
  const answer = once()
  return isSuccess(answer) ? answer : once()
}

/** The next answer of the server. What a load has left behind comes before it. */
function nextMessage(generator: Generator, { client, running }: Asker): Uint8Array {
  for (;;) {
    const { bytes } = mustReceive(generator, client, running.name)
    if ((bytes[0] ?? 0) < FIRST_CHANNEL_BYTE && !isDataIndication(bytes)) return bytes
  }
}

function setUpForwarder(
  generator: Generator,
  at: {
    readonly running: Running
    readonly client: number
    readonly peer: { readonly socket: number; readonly port: number }
  },
): number {
  const hello = Buffer.alloc(2)
  hello.writeUInt16BE(at.peer.port)
  generator.send(at.client, hello, at.running.port)
  return mustReceive(generator, at.peer.socket, at.running.name).port
}

/** Waits for the server to answer a Binding request. */
export function awaitServer(generator: Generator, port: number): void {
  const [probe] = generator.open(1)
  for (let attempt = 0; probe && attempt < 100; attempt++) {
    generator.send(probe.socket, bindingRequest(), port)
    if (generator.receive(probe.socket, 100)) return
  }
  throw new Error(`nothing answers on port ${port}`)
}

function mustReceive(generator: Generator, socket: number, name: string): Answer {
  const answer = generator.receive(socket, ANSWER_TIMEOUT_MS)
  if (!answer) throw new Error(`${name} does not answer`)
  return answer
}
