import type { Server as HttpServer } from 'node:http'
import { deviceIdSchema, handshakeSchema, wireError } from '@parley/protocol'
import type { AnswerFrame, DeviceId, WireError } from '@parley/protocol'
import type { Log } from '@parley/service'
import { Server } from 'socket.io'
import type { Socket } from 'socket.io'
import { badField } from '../bad-field.ts'
import type { ResumeRequest } from '../directory.ts'
import type { Entrant, Hub } from '../hub.ts'
import type { ClientSocket } from '../ports.ts'

/**
 * A message above this ends the connection unread; between `limits.messageBytes` and this it gets a
 * typed error. Higher reads more of what is then refused, lower leaves some clients without a reason.
 */
const TRANSPORT_MESSAGE_BYTES = 1_250_000

/** A dead socket is noticed within the sum of these. Shorter costs more traffic while idle. */
const PING_INTERVAL_MS = 8_000
const PING_TIMEOUT_MS = 6_000

/** Packets that may wait for a slow reader before the socket is closed; it resumes with a snapshot. */
const MOST_WAITING_PACKETS = 1_000

interface SocketData {
  readonly at: Entrant
  readonly resume: ResumeRequest | undefined
}

/** What the Socket.IO door needs. */
export interface SocketDoor {
  readonly hub: Hub
  readonly log: Log
  readonly randomId: (bytes: number) => string
}

/** Opens the Socket.IO door on an HTTP server: sockets' events to the hub, frames to sockets. */
export function attachSocketServer(http: HttpServer, door: SocketDoor): Server {
  const io = new Server(http, {
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: TRANSPORT_MESSAGE_BYTES,
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
  })
  io.use((socket, next) => {
    void authenticate(socket, door).then((outcome) => {
      if ('code' in outcome) {
        next(Object.assign(new Error(outcome.message), { data: outcome }))
      } else {
        socket.data = outcome
        void door.hub.expect(outcome.at, outcome.resume).then(() => next())
      }
    })
  })
  io.on('connection', (socket) => serve(socket, door))
  return io
}

async function authenticate(
  socket: Socket,
  { hub, randomId }: SocketDoor,
): Promise<SocketData | WireError> {
  const { auth } = socket.handshake
  if (auth['protocol'] !== undefined && handshakeVersionDiffers(auth)) {
    return wireError('protocol-version', { field: 'protocol' })
  }
  const handshake = handshakeSchema.safeParse(auth)
  if (!handshake.success) return badField(handshake.error).error
  const { token, device, resume } = handshake.data
  const claims = await hub.admit(token)
  if (!claims.ok) return claims.error
  const named =
    claims.data.device === undefined ? undefined : deviceIdSchema.safeParse(claims.data.device)
  if (named && !named.success) {
    return wireError('unauthorized', {
      message: 'The token names no valid device.',
      field: 'token',
    })
  }
  // An unnamed device gets a name for the length of its session; made here, so it has the shape.
  const id = named?.data ?? device ?? (randomId(DEVICE_ID_BYTES) as DeviceId)
  const { user, pass } = claims.data
  return { at: { user, device: id, pass }, resume }
}

const DEVICE_ID_BYTES = 12

function handshakeVersionDiffers(auth: Readonly<Record<string, unknown>>): boolean {
  return !handshakeSchema.shape.protocol.safeParse(auth['protocol']).success
}

function serve(socket: Socket, { hub, log }: SocketDoor): void {
  // Set by the middleware above before the connection is let in.
  const { at, resume } = socket.data as SocketData
  const client: ClientSocket = {
    send(frame) {
      if (waitingPackets(socket) > MOST_WAITING_PACKETS) {
        log.warn({ waiting: waitingPackets(socket) }, 'slow consumer disconnected')
        socket.disconnect(true)
        return
      }
      socket.emit('event', frame)
    },
    close() {
      socket.disconnect(true)
    },
  }
  let packetBytes = 0
  // The size is only known below Socket.IO; a packet is decoded before the next one is read.
  socket.conn.on('packet', ({ data }: { data?: unknown }) => {
    packetBytes = typeof data === 'string' || Buffer.isBuffer(data) ? data.length : 0
  })
  const session = hub.connect(at, client, resume)
  socket.onAny((event: unknown, ...args: unknown[]) => {
    const acknowledge = args.at(-1)
    const reply = (answer: AnswerFrame) => {
      if (typeof acknowledge === 'function') (acknowledge as (a: AnswerFrame) => void)(answer)
    }
    if (event === 'request') void hub.request(session, args[0], packetBytes).then(reply)
    else reply({ ok: false, error: wireError('unknown-request', { field: 'event' }) })
  })
  socket.on('disconnect', (reason) => {
    hub.disconnected(session, client, reason === 'client namespace disconnect')
  })
}

function waitingPackets(socket: Socket): number {
  // Socket.IO has no public measure of back-pressure; engine.io's buffer is the documented advice.
  const { writeBuffer } = socket.conn as unknown as { writeBuffer: readonly unknown[] }
  return writeBuffer.length
}
