import type { NodeEvent, NodeRequestType, Result } from '@parley/protocol'
import { limits } from '@parley/protocol'
import { createLog, Secret } from '@parley/service'
import { SignJWT } from 'jose'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'
import { serveControl } from '../src/control/server.ts'
import { listenTo, sendTone } from './audio.ts'
import { raiseStage, RoomDoor } from './stage.ts'
import type { Door } from './stage.ts'
import { decodeFrames, hearsTone } from './tone.ts'

const SECRET = 'a-secret-of-the-control-link'

test('a controller with a good token gives orders and hears events', async () => {
  const { port } = await openLink()
  const link = await connect(port, await token())
  const load = link.nextEvent('load')
  const room = new RoomDoor(link)
  await room.must('room.open', {})
  const { session } = await room.enter('alice')
  expect(session.send.id).not.toBe(session.recv.id)
  expect(await load).toMatchObject({ data: { workers: 1 } })
})

test('a token is refused when it is forged, expired, for somebody else, or used before', async () => {
  const { port } = await openLink()
  const used = await token()
  await connect(port, used)
  const now = Math.floor(Date.now() / 1_000)
  const refused = {
    missing: undefined,
    forged: await token({ secret: 'another-secret-of-a-stranger' }),
    expired: await token({ issuedAt: now - 120, expires: now - 60 }),
    'too long-lived': await token({ issuedAt: now - 120, expires: now + 3_600 }),
    'for another audience': await token({ audience: 'parley-turn' }),
    'from another issuer': await token({ issuer: 'stranger' }),
    used,
  }
  const codes = await Promise.all(
    Object.entries(refused).map(async ([what, one]) => [what, await refusalOf(port, one)]),
  )
  expect(Object.fromEntries(codes)).toEqual({
    missing: 'unauthorized',
    forged: 'unauthorized',
    expired: 'token-expired',
    'too long-lived': 'token-expired',
    'for another audience': 'unauthorized',
    'from another issuer': 'unauthorized',
    used: 'unauthorized',
  })
})

test('media goes on without the control link, and the next one finds the rooms as they were', async () => {
  const { port } = await openLink()
  const first = await connect(port, await token())
  const room = new RoomDoor(first)
  await room.must('room.open', {})
  const speaker = await sendTone(room, 'alice', 440)
  const listener = await listenTo(room, 'bob', speaker.producer)

  first.socket.disconnect()
  expect(hearsTone(440, await decodeFrames(await listener.hear(100)))).toBe(true)

  const second = await connect(port, await token())
  const same = new RoomDoor(second)
  await same.must('room.open', {})
  const carol = await same.enter('carol')
  const { kind } = await same.consume(carol.id, speaker.producer)
  expect(kind).toBe('audio')
})

test('the same order id gets the same answer, and does the thing once', async () => {
  const { port, stage } = await openLink()
  const link = await connect(port, await token())
  const room = new RoomDoor(link)
  await room.must('room.open', {})
  const frame = { id: 'once', type: 'peer.open', data: { ...room.at, peer: 'alice' } }
  const [a, b] = await Promise.all([link.send(frame), link.send(frame)])
  expect(a).toEqual(b)
  expect(await link.send(frame)).toEqual(a)
  expect(stage.sfu.hub.counts().peers).toBe(1)
})

test('what is no order gets a typed answer, and the link goes on', async () => {
  const { port } = await openLink()
  const link = await connect(port, await token())
  const answers = [
    await link.send('nonsense'),
    await link.send({ id: 7, type: 'room.open', data: {} }),
    await link.send({ id: 'a', type: 'room.burn', data: {} }),
    await link.send({ id: 'b', type: '__proto__', data: {} }),
    await link.send({ id: 'c', type: 'room.open', data: { call: 'c', epoch: 0 } }),
  ]
  const errors = answers.map((answer) => !answer.ok && [answer.error.code, answer.error.field])
  expect(errors).toEqual([
    ['bad-request', undefined],
    ['bad-request', 'id'],
    ['unknown-request', 'type'],
    ['unknown-request', 'type'],
    ['bad-request', 'data.epoch'],
  ])
  await new RoomDoor(link).must('room.open', {})
})

test('a message over the limit ends that connection only', async () => {
  const { port } = await openLink()
  const link = await connect(port, await token())
  const gone = nextOf(link.socket, 'disconnect')
  link.socket.emit('order', { id: 'x', type: 'room.open', data: 'x'.repeat(limits.messageBytes) })
  await gone
  const next = await connect(port, await token())
  await new RoomDoor(next).must('room.open', {})
})

async function openLink() {
  const stage = await raiseStage()
  const control = await serveControl(
    { host: '127.0.0.1', port: 0 },
    { hub: stage.sfu.hub, secret: new Secret(SECRET), log: createLog('sfu', { level: 'silent' }) },
  )
  onTestFinished(() => control.close())
  return { stage, port: control.port }
}

interface TokenSpec {
  readonly secret?: string
  readonly issuer?: string
  readonly audience?: string
  readonly issuedAt?: number
  readonly expires?: number
}

let tokens = 0
let orders = 0

function token({
  secret = SECRET,
  issuer = 'parley-signaling',
  audience = 'parley-sfu',
  issuedAt = Math.floor(Date.now() / 1_000),
  expires = issuedAt + 60,
}: TokenSpec = {}): Promise<string> {
  tokens += 1
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setJti(`token-${tokens}`)
    .setSubject('signaling-1')
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))
}

function dial(port: number, credential: string | undefined): Socket {
  const socket = io(`ws://127.0.0.1:${port}`, {
    transports: ['websocket'],
    auth: { token: credential },
    reconnection: false,
    forceNew: true,
  })
  onTestFinished(() => {
    socket.disconnect()
  })
  return socket
}

interface Link extends Door {
  readonly socket: Socket
  send(frame: unknown): Promise<Result<unknown>>
  nextEvent(type: NodeEvent['type']): Promise<NodeEvent>
}

async function connect(port: number, credential: string): Promise<Link> {
  const socket = dial(port, credential)
  const send = (frame: unknown) => socket.emitWithAck('order', frame) as Promise<Result<never>>
  const nextEvent = (type: NodeEvent['type']) =>
    new Promise<NodeEvent>((resolve) => {
      socket.on('event', (event: NodeEvent) => {
        if (event.type === type) resolve(event)
      })
    })
  await nextOf(socket, 'connect')
  return {
    socket,
    send,
    nextEvent,
    request: (type: NodeRequestType, data: unknown) => {
      orders += 1
      return send({ id: `order-${orders}`, type, data })
    },
  }
}

async function refusalOf(port: number, credential: string | undefined): Promise<unknown> {
  const error = (await nextOf(dial(port, credential), 'connect_error')) as {
    data?: { code?: string }
  }
  return error.data?.code
}

function nextOf(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => {
    socket.once(event, resolve)
  })
}
