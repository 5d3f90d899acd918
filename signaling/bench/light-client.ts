import type { AnswerFrame, EventFrame, Handshake, Welcome } from '@parley/protocol'
import { decodePacket, encodePacket, MESSAGE_PACK_PATH } from '@parley/protocol/message-pack'

/** Engine.IO packet types; Socket.IO's packets are Engine.IO messages, or bytes without a type. */
const OPEN = '0'
const PING = '2'
const PONG = '3'
const MESSAGE = '4'

/** Socket.IO packet types. */
const CONNECT = 0
const EVENT = 2
const ACK = 3
const REFUSED = 4

/** How messages are written. */
export type WireFormat = 'json' | 'msgpack'

interface Packet {
  readonly type: number
  readonly data: unknown
  readonly id: number | undefined
}

/** Why a connection did not come about: the server's words, or none where it was not reached. */
export class Refused extends Error {
  readonly data: { readonly code?: string; readonly retryAfterMs?: number } | undefined

  constructor(data: Refused['data']) {
    super(`refused: ${data?.code ?? 'not reached'}`)
    this.data = data
  }
}

let names = 0

/** Bytes of WebSocket frames with their headers. */
export interface Traffic {
  sent: number
  received: number
}

/**
 * A client that speaks just enough of Socket.IO for thousands of it to fit into one process: a socket,
 * two maps, and no reconnecting.
 */
export class LightClient {
  readonly #socket: WebSocket
  readonly #format: WireFormat
  readonly #answers = new Map<number, (answer: AnswerFrame) => void>()
  /** Sessions outlive connections, and know requests by their ids. */
  readonly #name = (names++).toString(36)
  readonly #settling = new Set<number>()
  #requests = 0
  /** Of the messages of the call's life: what asks whether the server is done is not counted. */
  readonly traffic: Traffic = { sent: 0, received: 0 }
  /** Called for each event but the welcome. */
  onEvent: (frame: EventFrame) => void = () => undefined
  onClose: () => void = () => undefined
  lastSeq = 0

  private constructor(socket: WebSocket, format: WireFormat) {
    this.#socket = socket
    this.#format = format
  }

  /** Connects and waits for what `auth` leads to: the welcome, or for a bare server the connection. */
  static connect(
    url: string,
    auth: Partial<Handshake>,
    format: WireFormat = 'json',
  ): Promise<{ readonly client: LightClient; readonly welcome: Welcome | undefined }> {
    const { promise, resolve, reject } = Promise.withResolvers<{
      client: LightClient
      welcome: Welcome | undefined
    }>()
    const path = format === 'json' ? '/socket.io' : MESSAGE_PACK_PATH
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}/?EIO=4&transport=websocket`)
    socket.binaryType = 'arraybuffer'
    const client = new LightClient(socket, format)
    socket.onmessage = (event) => {
      const data = event.data as string | ArrayBuffer
      client.traffic.received += framed(data)
      if (typeof data === 'string' && data.startsWith(OPEN)) {
        client.#write({ type: CONNECT, data: auth, id: undefined })
        return
      }
      if (data === PING) {
        client.#send(PONG)
        return
      }
      const packet = readPacket(data)
      if (packet.type === REFUSED) {
        reject(new Refused((packet.data as { data?: Refused['data'] }).data))
        socket.close()
      } else if (packet.type === CONNECT && auth.token === undefined) {
        resolve({ client, welcome: undefined })
      } else if (packet.type === EVENT) {
        const [, frame] = packet.data as [string, EventFrame]
        if (frame.seq === 0) resolve({ client, welcome: frame.data as Welcome })
        else client.#onEvent(frame)
      } else if (packet.type === ACK) client.#onAnswer(packet, framed(data))
    }
    socket.onerror = () => reject(new Refused(undefined))
    socket.onclose = () => {
      reject(new Refused(undefined))
      client.onClose()
    }
    return promise
  }

  request(type: string, data: unknown): Promise<AnswerFrame> {
    const id = this.#requests++
    this.#write({ type: EVENT, data: ['request', { id: `${this.#name}-${id}`, type, data }], id })
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }

  /** Resolves when the server has taken in all that was sent, or has closed the connection. */
  settled(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.resolve()
    // An event of another name is answered by the door, whatever the limits say.
    const answered = new Promise<void>((resolve) => {
      const id = this.#requests++
      this.#answers.set(id, () => resolve())
      this.#settling.add(id)
      this.#socket.send(writePacket({ type: EVENT, data: ['settled'], id }, this.#format))
    })
    return Promise.race([answered, this.closed()])
  }

  /** Sends any text or bytes, well-formed or not. */
  send(message: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(message)
  }

  close(): void {
    this.onClose = () => undefined
    this.#socket.close()
  }

  /** Resolves when the socket is closed, by whomever. */
  closed(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return Promise.resolve()
    return new Promise((resolve) => (this.onClose = () => resolve()))
  }

  #write(packet: Packet): void {
    this.#send(writePacket(packet, this.#format))
  }

  #send(message: string | Uint8Array<ArrayBuffer>): void {
    // A client masks what it sends, with four bytes.
    this.traffic.sent += framed(message) + 4
    this.#socket.send(message)
  }

  #onEvent(frame: EventFrame): void {
    this.lastSeq = frame.seq
    this.onEvent(frame)
  }

  #onAnswer({ id = -1, data }: Packet, bytes: number): void {
    if (this.#settling.delete(id)) this.traffic.received -= bytes
    const [answer] = data as [AnswerFrame]
    this.#answers.get(id)?.(answer)
    this.#answers.delete(id)
  }
}

function writePacket({ type, data, id }: Packet, format: WireFormat) {
  if (format === 'json') return `${MESSAGE}${type}${id ?? ''}${JSON.stringify(data)}`
  return encodePacket({ type, nsp: '/', data, ...(id !== undefined && { id }) })
}

function readPacket(message: string | ArrayBuffer): Packet {
  if (typeof message !== 'string') {
    const { type, data, id } = decodePacket(new Uint8Array(message))
    return { type, data, id }
  }
  const type = Number(message[1])
  const opening = message.search(/[[{]/)
  if (opening < 0) return { type, data: undefined, id: undefined }
  const id = opening === 2 ? undefined : Number(message.slice(2, opening))
  return { type, data: JSON.parse(message.slice(opening)) as unknown, id }
}

/** Bytes of a message in one WebSocket frame, as a server sends it. */
function framed(message: string | ArrayBuffer | Uint8Array): number {
  const bytes = typeof message === 'string' ? Buffer.byteLength(message) : message.byteLength
  return bytes + (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)
}
