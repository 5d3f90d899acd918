import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export type Transport = 'udp' | 'tcp' | 'tls'

/** Longer than any server thinks about an answer, even on a busy machine. */
const ANSWER_TIMEOUT_MS = 5_000

/** A way to a server: whole messages out, whole messages in. */
export interface Carrier {
  readonly port: number
  send(bytes: Uint8Array): void
  /** The next message; rejects when there is none for long. */
  next(): Promise<Buffer>
  /** From here on, hands messages to a listener instead of keeping them. */
  onEach(listener: (bytes: Buffer) => void): void
  /** Resolves when the other side has closed the connection. */
  readonly closed: Promise<void>
  close(): void
}

/** Opens a carrier to a port of loopback. */
export function openCarrier(transport: Transport, port: number, host = '127.0.0.1') {
  return transport === 'udp' ? openDatagrams(port, host) : openStream(transport, port, host)
}

/** A datagram, its text, and the port that it came from. */
export interface Received {
  readonly text: string
  readonly bytes: Buffer
  readonly port: number
}

/** For what a whole round of senders has for one peer, however late that gets to read; the system caps it. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024

/** A UDP socket that takes everything: a peer, or a client. */
export class DatagramEnd {
  readonly host: string
  readonly #socket
  readonly #queue = new Queue<Received>()

  private constructor(host: string) {
    this.host = host
    const family = host.includes(':') ? 6 : 4
    this.#socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      // What is sent right before the close must leave: looking addresses up would defer it.
      lookup: (name, _options, done) => {
        done(null, name, family)
      },
    })
    this.#socket.on('message', (bytes, { port }) => {
      this.#queue.put({ bytes, port, text: bytes.toString() })
    })
    this.#socket.on('error', () => undefined)
  }

  static async open(host = '127.0.0.1', port = 0): Promise<DatagramEnd> {
    const end = new DatagramEnd(host)
    const listening = once(end.#socket, 'listening')
    end.#socket.bind(port, host)
    await listening
    return end
  }

  /** Opens one on a port that is none of those. */
  static async openOff(ports: ReadonlySet<number>, host?: string): Promise<DatagramEnd> {
    for (;;) {
      const end = await DatagramEnd.open(host)
      if (!ports.has(end.port)) return end
      end.close()
    }
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Sends to a port of the loopback address on which servers listen. */
  send(bytes: Uint8Array | string, port: number): void {
    const isIpv6 = this.host.includes(':')
    this.#socket.send(bytes, port, isIpv6 ? '::1' : '127.0.0.1')
  }

  next() {
    return this.#queue.take()
  }

  /** From here on, hands datagrams to a listener instead of keeping them. */
  onEach(listener: (datagram: Received) => void): void {
    this.#queue.onEach(listener)
  }

  close(): void {
    this.#socket.close()
  }
}

/** Ports of earlier clients: a server keeps what they had there for minutes (437 to who comes after). */
const spentPorts = new Set<number>()

async function openDatagrams(port: number, host: string): Promise<Carrier> {
  const end = await DatagramEnd.openOff(spentPorts, host)
  spentPorts.add(end.port)
  return {
    port: end.port,
    send: (bytes) => {
      end.send(bytes, port)
    },
    next: async () => (await end.next()).bytes,
    onEach: (listener) => {
      end.onEach(({ bytes }) => {
        listener(bytes)
      })
    },
    closed: new Promise(() => undefined),
    close: () => {
      end.close()
    },
  }
}

async function openStream(transport: 'tcp' | 'tls', port: number, host: string): Promise<Carrier> {
  const socket: Socket =
    transport === 'tcp'
      ? connectTcp(port, host)
      : connectTls({ port, host, rejectUnauthorized: false, ALPNProtocols: ['stun.turn'] })
  const queue = new Queue<Buffer>()
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      resolve()
    })
  })
  socket.on('error', () => undefined)
  await once(socket, transport === 'tcp' ? 'connect' : 'secureConnect')
  let waiting = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    for (let size = frameSize(waiting); size !== undefined; size = frameSize(waiting)) {
      queue.put(waiting.subarray(0, size))
      waiting = waiting.subarray(size)
    }
  })
  return {
    port: socket.localPort ?? 0,
    send: (bytes) => socket.write(bytes),
    next: () => queue.take(),
    onEach: (listener) => {
      queue.onEach(listener)
    },
    closed,
    close: () => socket.destroy(),
  }
}

/** Bytes of the frame at the front, padding included; `undefined` while it is not whole. */
function frameSize(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined
  const length = bytes.readUInt16BE(2)
  const size = (bytes[0] ?? 0) >= 0x40 ? 4 + length + (-length & 3) : 20 + length
  return bytes.length >= size ? size : undefined
}

class Queue<Item> {
  readonly #items: Item[] = []
  readonly #waiting: ((item: Item) => void)[] = []
  #listener: ((item: Item) => void) | undefined

  onEach(listener: (item: Item) => void): void {
    this.#listener = listener
    for (const item of this.#items.splice(0)) listener(item)
  }

  put(item: Item): void {
    if (this.#listener) {
      this.#listener(item)
      return
    }
    const next = this.#waiting.shift()
    if (next) next(item)
    else this.#items.push(item)
  }

  take(): Promise<Item> {
    const first = this.#items.shift()
    if (first !== undefined) return Promise.resolve(first)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1)
        reject(new Error('no answer'))
      }, ANSWER_TIMEOUT_MS)
      const take = (item: Item) => {
        clearTimeout(timer)
        resolve(item)
      }
      this.#waiting.push(take)
    })
  }
}
