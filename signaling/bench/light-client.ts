import type { AnswerFrame, EventFrame, Handshake, Welcome } from '@parley/protocol'

/** Engine.IO and Socket.IO packet types, as text frames carry them. */
const OPEN = '0'
const PING = '2'
const PONG = '3'
const CONNECT = '40'
const EVENT = '42'
const ACK = '43'
const REFUSED = '44'

/** Why a connection did not come about: the server's words, or none where it was not reached. */
export class Refused extends Error {
  readonly data: { readonly code?: string; readonly retryAfterMs?: number } | undefined

  constructor(data: Refused['data']) {
    super(`refused: ${data?.code ?? 'not reached'}`)
    this.data = data
  }
}

/**
 * A client that speaks just enough of Socket.IO for thousands of it to fit into one process: a socket,
 * two maps, and no reconnecting.
 */
export class LightClient {
  readonly #socket: WebSocket
  readonly #answers = new Map<number, (answer: AnswerFrame) => void>()
  #requests = 0
  /** Called for each event but the welcome. */
  onEvent: (frame: EventFrame) => void = () => undefined
  onClose: () => void = () => undefined
  lastSeq = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  /** Connects and waits for what `auth` leads to: the welcome, or for a bare server the connection. */
  static connect(
    url: string,
    auth: Partial<Handshake>,
  ): Promise<{ readonly client: LightClient; readonly welcome: Welcome | undefined }> {
    const { promise, resolve, reject } = Promise.withResolvers<{
      client: LightClient
      welcome: Welcome | undefined
    }>()
    const socket = new WebSocket(
      `${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`,
    )
    const client = new LightClient(socket)
    socket.onmessage = ({ data }) => {
      const text = String(data)
      if (text.startsWith(OPEN)) socket.send(`${CONNECT}${JSON.stringify(auth)}`)
      else if (text === PING) socket.send(PONG)
      else if (text.startsWith(REFUSED)) {
        reject(new Refused((JSON.parse(text.slice(2)) as { data?: Refused['data'] }).data))
        socket.close()
      } else if (text.startsWith(CONNECT) && auth.token === undefined) {
        resolve({ client, welcome: undefined })
      } else if (text.startsWith(EVENT)) {
        const [, frame] = JSON.parse(text.slice(2)) as [string, EventFrame]
        if (frame.seq === 0) resolve({ client, welcome: frame.data as Welcome })
        else client.#onEvent(frame)
      } else if (text.startsWith(ACK)) client.#onAnswer(text)
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
    this.send(`${EVENT}${id}${JSON.stringify(['request', { id: `r${id}`, type, data }])}`)
    return new Promise((resolve) => this.#answers.set(id, resolve))
  }

  /** Resolves when the server has taken in all that was sent, or has closed the connection. */
  settled(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.resolve()
    // An event of another name is answered by the door, whatever the limits say.
    const answered = new Promise<void>((resolve) => {
      const id = this.#requests++
      this.#answers.set(id, () => resolve())
      this.send(`${EVENT}${id}["settled"]`)
    })
    return Promise.race([answered, this.closed()])
  }

  /** Sends any text, well-formed or not. */
  send(text: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(text)
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

  #onEvent(frame: EventFrame): void {
    this.lastSeq = frame.seq
    this.onEvent(frame)
  }

  #onAnswer(text: string): void {
    const bracket = text.indexOf('[')
    const id = Number(text.slice(2, bracket))
    const [answer] = JSON.parse(text.slice(bracket)) as [AnswerFrame]
    this.#answers.get(id)?.(answer)
    this.#answers.delete(id)
  }
}
