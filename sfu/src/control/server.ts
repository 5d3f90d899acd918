import { createServer } from 'node:http'
import type { NodeEvent, Result } from '@parley/protocol'
import { errorCodes, limits } from '@parley/protocol'
import { formatHostPort, listen } from '@parley/service'
import type { HostPort, Log, Secret } from '@parley/service'
import { Server } from 'socket.io'
import type { Socket } from 'socket.io'
import { parseFrame } from '../core/order.ts'
import { Answers } from './answers.ts'
import { ControlTokens } from './token.ts'

/** A dead link is noticed after the sum of both; shorter costs a little traffic. */
const PING_EVERY_MS = 5_000
const PING_TIMEOUT_MS = 5_000

/** What the link needs of the hub. */
export interface OrderTaker {
  order(controller: string, type: string, data: unknown): Promise<Result<unknown>>
  attach(controller: string, listener: (event: NodeEvent) => void): () => void
}

/** The control link of a node that runs alone. */
export interface ControlServer {
  readonly port: number
  close(): Promise<void>
}

/** Serves the control link. Rejects with `StartError` where the address is taken. */
export async function serveControl(
  address: HostPort,
  { hub, secret, log }: { hub: OrderTaker; secret: Secret; log: Log },
): Promise<ControlServer> {
  const http = createServer()
  const io = new Server(http, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: limits.messageBytes,
    pingInterval: PING_EVERY_MS,
    pingTimeout: PING_TIMEOUT_MS,
  })
  const tokens = new ControlTokens(secret)
  const answers = new Answers()
  io.use((socket, next) => {
    void tokens.check(socket.handshake.auth['token'], Date.now()).then((verdict) => {
      if (verdict.ok) {
        socket.data = { controller: verdict.controller }
        next()
        return
      }
      log.warn({ code: verdict.code }, 'a control link was refused')
      next(refusal(verdict.code))
    })
  })
  io.on('connection', (socket) => serveController(socket, { hub, answers, log }))
  const port = await listen(http, address, 'PARLEY_SFU_CONTROL')
  log.info({ address: formatHostPort({ host: address.host, port }) }, 'control link open')
  return {
    port,
    close: async () => {
      await io.close()
    },
  }
}

function serveController(
  socket: Socket,
  { hub, answers, log }: { hub: OrderTaker; answers: Answers; log: Log },
): void {
  // Set by the check above, without which there is no connection.
  const { controller } = socket.data as { controller: string }
  log.info({ controller }, 'controller connected')
  socket.on('order', (frame: unknown, acknowledge: unknown) => {
    const answer = answerOf(frame)
    if (typeof acknowledge !== 'function') return
    // Socket.IO's acknowledgement, whose type the untyped link does not carry.
    const acknowledgeOnce = acknowledge as (result: Result<unknown>) => void
    void answer.then((result) => acknowledgeOnce(result))
  })
  const detach = hub.attach(controller, ({ type, data }) => socket.emit('event', { type, data }))
  socket.on('disconnect', (reason) => {
    detach()
    log.info({ controller, reason }, 'controller disconnected')
  })

  function answerOf(frame: unknown): Promise<Result<unknown>> {
    const parsed = parseFrame(frame)
    if (!parsed.ok) return Promise.resolve(parsed)
    const { id, type, data } = parsed.data
    return answers.once(
      `${controller}\n${type}\n${id}`,
      () => hub.order(controller, type, data),
      Date.now(),
    )
  }
}

/** Socket.IO hands `data` to the client's `connect_error`. */
function refusal(code: 'unauthorized' | 'token-expired'): Error {
  const { retryable, meaning: message } = errorCodes[code]
  return Object.assign(new Error(message), { data: { code, message, retryable } })
}
