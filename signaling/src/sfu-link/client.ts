import { randomBytes } from 'node:crypto'
import { fail, limits, nodeEvents } from '@parley/protocol'
import type {
  NodeEvent,
  NodeEventType,
  NodeRequestData,
  NodeRequestResult,
  NodeRequestType,
  Result,
  SfuNode,
} from '@parley/protocol'
import { formatHostPort } from '@parley/service'
import type { HostPort, Log, Secret } from '@parley/service'
import { SignJWT } from 'jose'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'

/** How long an order may take. Longer hides a hung node, shorter fails a busy one. */
const ORDER_TIMEOUT_MS = 8_000

/** How long a link token is good for; it is used at once. */
const LINK_TOKEN_LIFETIME_S = 60

/** What a link is made with. */
export interface SfuLinkOptions {
  readonly address: HostPort
  /** Names this process to the node, which keeps a process's rooms for a while after it is gone. */
  readonly controller: string
  readonly secret: Secret
  readonly log: Log
}

/** Signaling's end of the control link to one SFU node; the link reconnects by itself. */
export class SfuLink implements SfuNode {
  readonly id: string
  readonly #socket: Socket
  readonly #log: Log
  #listener: (event: NodeEvent) => void = () => undefined

  constructor({ address, controller, secret, log }: SfuLinkOptions) {
    this.id = formatHostPort(address)
    this.#log = log
    this.#socket = io(`ws://${this.id}`, {
      transports: ['websocket'],
      auth: (give) => {
        void linkToken(controller, secret).then((token) => give({ token }))
      },
    })
    this.#socket.on('connect', () => log.info({ node: this.id }, 'SFU node connected'))
    this.#socket.on('connect_error', (error) => {
      log.debug({ node: this.id, reason: error.message }, 'SFU node not reachable')
    })
    this.#socket.on('disconnect', (reason) => {
      log.warn({ node: this.id, reason }, 'SFU node disconnected; its calls go on for now')
      this.#listener({ type: 'load', data: { cpu: 1, rooms: 0, peers: 0, workers: 0 } })
    })
    this.#socket.on('event', (raw: unknown) => this.#onEvent(raw))
  }

  async request<T extends NodeRequestType>(
    type: T,
    data: NodeRequestData<T>,
  ): Promise<Result<NodeRequestResult<T>>> {
    if (!this.#socket.connected) return fail('no-media-node')
    const id = randomBytes(12).toString('base64url')
    try {
      const answer: unknown = await this.#socket
        .timeout(ORDER_TIMEOUT_MS)
        .emitWithAck('order', { id, type, data })
      // The node is ours and speaks the same version; what it answers was made by the same types.
      return answer as Result<NodeRequestResult<T>>
    } catch {
      return fail('media-timeout')
    }
  }

  onEvent(listener: (event: NodeEvent) => void): void {
    this.#listener = listener
  }

  close(): void {
    this.#socket.disconnect()
  }

  #onEvent(raw: unknown): void {
    const event = parseEvent(raw)
    if (event) this.#listener(event)
    else this.#log.warn({ node: this.id }, 'SFU node sent an event that is not known here')
  }
}

/** Checks an event of a node; `undefined` for one of another version. */
export function parseEvent(raw: unknown): NodeEvent | undefined {
  if (typeof raw !== 'object' || raw === null || !('type' in raw) || !('data' in raw)) {
    return undefined
  }
  const { type } = raw
  if (typeof type !== 'string' || !Object.hasOwn(nodeEvents, type)) return undefined
  const schema = nodeEvents[type as NodeEventType]
  const data = schema.safeParse(raw.data)
  // Type and data were checked by the schema of that type.
  return data.success ? ({ type, data: data.data } as NodeEvent) : undefined
}

async function linkToken(controller: string, secret: Secret): Promise<string> {
  return new SignJWT({ jti: randomBytes(limits.idLength / 4).toString('base64url') })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('parley-signaling')
    .setAudience('parley-sfu')
    .setSubject(controller)
    .setIssuedAt()
    .setExpirationTime(`${LINK_TOKEN_LIFETIME_S} seconds`)
    .sign(new TextEncoder().encode(secret.reveal()))
}
