import { randomUUID } from 'node:crypto'
import { clientRequests, PROTOCOL_VERSION, serverEvents } from '@parley/protocol'
import type {
  AnswerFrame,
  ClientRequestData,
  ClientRequestResult,
  ClientRequestType,
  EventFrame,
  ServerEvent,
} from '@parley/protocol'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'

/** How long the server may take for one answer. */
const ANSWER_TIMEOUT_MS = 10_000

/** Waits before a refused but retryable request is made again, plus up to as much again. */
const RETRY_WAITS_MS = [100, 200, 400, 800, 1_600, 3_200]

/** A request that came to nothing; `code` is the server's, or says what the client found. */
export class RequestError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'RequestError'
    this.code = code
  }
}

/** One caller's connection to signaling, as a stranger would write it from the protocol. */
export class SignalingClient {
  readonly #socket: Socket
  readonly #onEvent: (event: ServerEvent) => void

  private constructor(socket: Socket, onEvent: (event: ServerEvent) => void) {
    this.#socket = socket
    this.#onEvent = onEvent
  }

  /**
   * Connects and waits for the welcome. A lost socket stays lost and `onLost` says why: hiding
   * losses is not what a load tester is for.
   */
  static async connect(options: {
    readonly url: URL
    readonly token: string
    readonly device: string
    readonly onEvent: (event: ServerEvent) => void
    readonly onLost: (reason: string) => void
  }): Promise<SignalingClient> {
    const { url, token, device, onEvent, onLost } = options
    const socket = io(url.href, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      timeout: ANSWER_TIMEOUT_MS,
      auth: { protocol: PROTOCOL_VERSION, token, device },
    })
    const client = new SignalingClient(socket, onEvent)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect_error', (error) => {
        socket.close()
        reject(new RequestError(refusalCode(error), error.message))
      })
      socket.on('event', (frame: EventFrame) => {
        if (frame.type === 'welcome') resolve()
        client.#take(frame)
      })
    })
    socket.on('disconnect', (reason) => {
      if (reason !== 'io client disconnect') onLost(reason)
    })
    return client
  }

  /** Asks, and asks again while the server says that it may work later. */
  async request<T extends ClientRequestType>(
    type: T,
    data: ClientRequestData<T>,
  ): Promise<ClientRequestResult<T>> {
    for (const waitMs of RETRY_WAITS_MS) {
      const answer = await this.#ask(type, data)
      if (answer.ok) return parseResult(type, answer.data)
      if (!answer.error.retryable) throw new RequestError(answer.error.code, answer.error.message)
      await new Promise((resolve) => setTimeout(resolve, waitMs * (1 + Math.random())))
    }
    const last = await this.#ask(type, data)
    if (last.ok) return parseResult(type, last.data)
    throw new RequestError(last.error.code, last.error.message)
  }

  close(): void {
    this.#socket.disconnect()
  }

  async #ask(type: ClientRequestType, data: unknown): Promise<AnswerFrame> {
    const frame = { id: randomUUID(), type, data }
    try {
      // The acknowledgement is the server's answer frame; its data is checked before it is used.
      return (await this.#socket
        .timeout(ANSWER_TIMEOUT_MS)
        .emitWithAck('request', frame)) as AnswerFrame
    } catch {
      const seconds = ANSWER_TIMEOUT_MS / 1_000
      throw new RequestError('no-answer', `${type} was not answered within ${seconds} s`)
    }
  }

  #take({ type, data }: EventFrame): void {
    if (!Object.hasOwn(serverEvents, type)) return
    const schema = serverEvents[type as ServerEvent['type']]
    const parsed = schema.safeParse(data)
    // The type and its own schema belong together, which TypeScript cannot see over a union.
    if (parsed.success) this.#onEvent({ type, data: parsed.data } as ServerEvent)
  }
}

function parseResult<T extends ClientRequestType>(type: T, data: unknown): ClientRequestResult<T> {
  const parsed = clientRequests[type].result.safeParse(data)
  // As above: the schema of `type` gives the result of `type`.
  if (parsed.success) return parsed.data as ClientRequestResult<T>
  throw new RequestError('bad-answer', `${type} was answered with something else than promised`)
}

function refusalCode(error: Error): string {
  const { data } = error as { readonly data?: { readonly code?: unknown } }
  return typeof data?.code === 'string' ? data.code : 'connect-failed'
}
