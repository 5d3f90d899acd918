import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { deviceIdSchema, handshakeSchema, wireError } from '@parley/protocol'
import type { AnswerFrame, DeviceId, EventFrame, Millis, WireError } from '@parley/protocol'
import { MESSAGE_PACK_PATH, messagePackParser } from '@parley/protocol/message-pack'
import type { Log } from '@parley/service'
import { Server } from 'socket.io'
import type { Socket } from 'socket.io'
import { badField } from '../bad-field.ts'
import type { ResumeRequest } from '../directory.ts'
import type { Entrant } from '../hub-options.ts'
import type { Hub } from '../hub.ts'
import type { ClientSocket } from '../ports.ts'
import type { FrontGate } from './front-gate.ts'
import { openInTurn } from './opening.ts'
import type { RawConnection } from './opening.ts'
import { Sender } from './sender.ts'
import { Turnstile } from './turnstile.ts'

/**
 * A message above this ends the connection unread; between `limits.messageBytes` and this it gets a
 * typed error. Higher reads more of what is then refused, lower leaves some clients without a reason.
 */
const TRANSPORT_MESSAGE_BYTES = 1_250_000

/** Of the time in which a dead socket is noticed, the part between two pings; the rest is for the answer. */
const PING_INTERVAL_SHARE = 4 / 7

/** A connection whose first message does not join is closed after it. */
const CONNECT_TIMEOUT_MS = 10_000

/** What is said to who comes while too many connections wait to be opened. */
const FULL_WAIT_MS = 5_000

/**
 * The last word to who reads too slowly. It goes past what waits for him, so it has no number: he is
 * not to think that he has seen what came before it.
 */
const SLOW_CONSUMER: EventFrame = {
  seq: 0,
  type: 'session.closed',
  data: { code: 'slow-consumer' },
}

interface SocketData {
  readonly at: Entrant
  /** What its traffic counts for. */
  readonly address: string
  readonly resume: ResumeRequest | undefined
}

/** What the Socket.IO door needs. */
export interface SocketDoor {
  readonly hub: Hub
  readonly log: Log
  readonly gate: FrontGate
  /** A dead socket is noticed within it. */
  readonly livenessMs: Millis
  /** Told of each refusal by a limit. */
  readonly onRefused: (reason: string) => void
  readonly randomId: (bytes: number) => string
}

/** Opens the Socket.IO door on an HTTP server: sockets' events to the hub, frames to sockets. */
export function attachSocketServer(
  http: HttpServer,
  door: SocketDoor,
): { close(): Promise<unknown> } {
  // A parser is for a whole Socket.IO server, so there are two; the path says which one is meant.
  const turnstile = new Turnstile({
    now: () => performance.now(),
    later: (run) => void setImmediate(run),
  })
  const json = openEntrance(http, door, turnstile, { path: '/socket.io' })
  const binary = openEntrance(http, door, turnstile, {
    path: MESSAGE_PACK_PATH,
    parser: messagePackParser,
  })
  guardUpgrades(http, door, turnstile, [binary, json])
  return { close: () => Promise.all([json.io.close(), binary.io.close()]) }
}

/** One Socket.IO server and where it is found. */
interface Entrance {
  readonly io: Server
  readonly path: string
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

function openEntrance(
  http: HttpServer,
  door: SocketDoor,
  turnstile: Turnstile,
  { path, parser }: { readonly path: string; readonly parser?: unknown },
): Entrance {
  const { livenessMs } = door
  const io = new Server(http, {
    path,
    ...(parser !== undefined && { parser }),
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: TRANSPORT_MESSAGE_BYTES,
    pingInterval: Math.round(livenessMs * PING_INTERVAL_SHARE),
    pingTimeout: Math.round(livenessMs * (1 - PING_INTERVAL_SHARE)),
    connectTimeout: CONNECT_TIMEOUT_MS,
  })
  // The upgrades of all are led through one gate.
  const upgrades = http.listeners('upgrade')
  http.removeAllListeners('upgrade')
  const turnedAway = openConnectionsInTurn(io, door, turnstile)
  io.use((socket, next) => {
    void authenticate(socket, door, turnedAway.get(socket.conn)).then((outcome) => {
      if ('code' in outcome) {
        next(Object.assign(new Error(outcome.message), { data: outcome }))
      } else {
        socket.data = outcome
        void door.hub.expect(outcome.at, outcome.resume).then(() => next())
      }
    })
  })
  io.on('connection', (socket) => serve(socket, door))
  return {
    io,
    path: `${path}/`,
    upgrade(request, socket, head) {
      for (const upgrade of upgrades) upgrade.call(http, request, socket, head)
    },
  }
}

async function authenticate(
  socket: Socket,
  { hub, gate, onRefused, randomId }: SocketDoor,
  turnedAwayMs: Millis | undefined,
): Promise<SocketData | WireError> {
  const retryAfterMs = turnedAwayMs ?? gate.verifiersBusyMs
  if (retryAfterMs !== undefined) {
    onRefused('handshakes')
    return wireError('too-busy', { retryAfterMs })
  }
  const { auth } = socket.handshake
  if (auth['protocol'] !== undefined && handshakeVersionDiffers(auth)) {
    return wireError('protocol-version', { field: 'protocol' })
  }
  const handshake = handshakeSchema.safeParse(auth)
  if (!handshake.success) return badField(handshake.error).error
  const { token, device, resume } = handshake.data
  const claims = await gate.verifying(hub.admit(token))
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
  return { at: { user, device: id, pass }, resume, address: gate.addressOf(socket.request) }
}

const DEVICE_ID_BYTES = 12

function handshakeVersionDiffers(auth: Readonly<Record<string, unknown>>): boolean {
  return !handshakeSchema.shape.protocol.safeParse(auth['protocol']).success
}

function serve(socket: Socket, { hub, log, gate, onRefused }: SocketDoor): void {
  // Set by the middleware above before the connection is let in.
  const { at, resume, address } = socket.data as SocketData
  forgetHandshake(socket)
  const release = gate.hold(address)
  const sender = new Sender(socket, () => {
    onRefused('slow-consumer')
    log.warn('slow consumer disconnected')
    socket.emit('event', SLOW_CONSUMER)
    socket.disconnect(true)
  })
  const client: ClientSocket = {
    send: (frame) => sender.event(frame),
    close: () => void socket.disconnect(true),
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
      if (typeof acknowledge !== 'function') return
      sender.answer(() => (acknowledge as (a: AnswerFrame) => void)(answer))
    }
    const retryAfterMs = gate.message(address, packetBytes)
    if (retryAfterMs !== undefined) {
      onRefused('address')
      reply({ ok: false, error: wireError('rate-limited', { retryAfterMs }) })
    } else if (event === 'request') void hub.request(session, args[0], packetBytes).then(reply)
    else reply({ ok: false, error: wireError('unknown-request', { field: 'event' }) })
  })
  socket.on('disconnect', (reason) => {
    release()
    hub.disconnected(session, client, reason === 'client namespace disconnect')
  })
}

/**
 * Puts the gate and the turnstile between Engine.IO, whose connection there is, and Socket.IO, which
 * makes much of it. The answer is who is only let in to hear how long to stay away, in milliseconds.
 */
function openConnectionsInTurn(
  io: Server,
  { gate }: SocketDoor,
  turnstile: Turnstile,
): WeakMap<object, Millis> {
  const turnedAway = new WeakMap<object, Millis>()
  const engine: EventEmitter = io.engine
  const openers = engine.listeners('connection') as ((connection: RawConnection) => void)[]
  engine.removeAllListeners('connection')
  engine.on('connection', (connection: RawConnection) => {
    openInTurn(connection, {
      turnstile,
      knock: () => gate.knock(),
      open(_, retryAfterMs) {
        if (retryAfterMs !== undefined) turnedAway.set(connection, retryAfterMs)
        for (const open of openers) open(connection)
      },
    })
  })
  return turnedAway
}

/** Lets go of what the connection began with: it was looked at, and is the larger part of an idle one. */
function forgetHandshake(socket: Socket): void {
  socket.data = undefined
  // Socket.IO and engine.io read neither after the connection; both are theirs, and typed as fixed.
  Object.assign(socket.conn, { request: null })
  Object.assign(socket, { handshake: forgotten })
}

const forgotten = Object.freeze({})

/**
 * Refuses connections of an address that has too many before anything is made for them, and opens the
 * others one after the other.
 */
function guardUpgrades(
  http: HttpServer,
  { gate, onRefused }: SocketDoor,
  turnstile: Turnstile,
  entrances: readonly Entrance[],
): void {
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const entrance = entrances.find(({ path }) => request.url?.startsWith(path))
    if (!entrance) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      return
    }
    // Whoever hangs up while he waits is nobody's concern.
    socket.on('error', ignore)
    const enter = () => {
      if (socket.destroyed) return
      const retryAfterMs = gate.arrive(gate.addressOf(request))
      if (retryAfterMs !== undefined) {
        refuse(retryAfterMs)
        return
      }
      socket.off('error', ignore)
      entrance.upgrade(request, socket, head)
    }
    // A thousand requests may be read in one go: nothing is looked at before its turn, not even who asks.
    if (!turnstile.enter(enter)) refuse(FULL_WAIT_MS)

    function refuse(retryAfterMs: Millis): void {
      onRefused('upgrade')
      const seconds = Math.ceil(retryAfterMs / 1_000)
      socket.end(
        `HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${seconds}\r\nConnection: close\r\n\r\n`,
      )
    }
  })
}

const ignore = () => undefined
