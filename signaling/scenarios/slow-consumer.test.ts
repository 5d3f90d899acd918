import type { EventFrame, Welcome } from '@parley/protocol'
import type { Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BenchServer } from '../bench/server.ts'
import { benchToken } from '../bench/tokens.ts'
import { dial, heard } from './stage.ts'

/** Each may send so many at once; the limit of a message. */
const MESSAGES_EACH = 60
const MESSAGE = 'x'.repeat(16_000)
const MOST_SENDERS = 48
const MEDIA = { audio: true, video: true }

let server: BenchServer
beforeAll(async () => {
  server = await BenchServer.start('ours', { PARLEY_SESSIONS_PER_ADDRESS: '1000000' })
})
afterAll(() => server.stop())

test('[SLOW-2] who stops reading is told so and let go, comes back to a snapshot, and costs no memory', async () => {
  const reader = await enter('reader')
  const told: EventFrame[] = []
  reader.socket.on('event', (frame: EventFrame) => told.push(frame))
  const gone = heard(reader.socket, 'disconnect')

  stopReading(reader.socket)
  let senders = 0
  for (; senders < MOST_SENDERS && (await slowConsumers()) === 0; senders++) {
    await flood(`sender-${senders}`, reader.participant)
  }
  expect(await slowConsumers()).toBe(1)

  goOnReading(reader.socket)
  await gone
  expect(told.at(-1)).toMatchObject({ type: 'session.closed', data: { code: 'slow-consumer' } })
  const lastSeq = Math.max(...told.map(({ seq }) => seq))
  const { session, resumeKey: key } = reader.welcome
  const back = await connect('reader', { session, key, lastSeq })
  expect(back.welcome).toMatchObject({ session, resumed: 'snapshot' })
  expect(back.welcome.calls).toHaveLength(1)

  stopReading(back.socket)
  const before = await server.measure('collect')
  const more = 12
  for (let i = 0; i < more; i++) await flood(`late-${i}`, reader.participant)
  const after = await server.measure('collect')
  const sent = more * MESSAGES_EACH * MESSAGE.length
  // What waits for one reader is bounded, and is let go with him.
  expect(after.bytes - before.bytes).toBeLessThan(sent)
  back.socket.close()
})

/** Somebody comes into the room, sends all that he may to one who is in it, and goes. */
async function flood(user: string, to: string): Promise<void> {
  const { socket } = await enter(user)
  await Promise.all(
    Array.from({ length: MESSAGES_EACH }, (_, i) =>
      ask(socket, `m${i}`, 'call.send', { call: ROOM.call, to, message: { text: MESSAGE } }),
    ),
  )
  socket.close()
}

/** The room's call, known from whoever came first. */
const ROOM = { call: '' }

async function enter(user: string) {
  const { socket, welcome } = await connect(user)
  const seat = { room: 'flooded', media: MEDIA, topology: 'sfu' }
  const joined = (await ask(socket, 'join', 'room.join', seat)) as {
    call: { id: string }
    participant: string
  }
  ROOM.call = joined.call.id
  return { socket, welcome, participant: joined.participant }
}

async function connect(user: string, resume?: object) {
  const socket = dial(server.url, {
    ...{ protocol: 1, token: benchToken(user), device: `${user}-device` },
    ...(resume && { resume }),
  })
  const { data } = (await heard(socket, 'event')) as EventFrame
  return { socket, welcome: data as Welcome }
}

async function ask(socket: Socket, id: string, type: string, data: unknown): Promise<unknown> {
  const answer = (await socket.emitWithAck('request', { id, type, data })) as { data?: unknown }
  expect(answer).toMatchObject({ ok: true })
  return answer.data
}

/** How often the server has let a reader go for this, by its metrics. */
async function slowConsumers(): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  const [, count = '0'] = /refused_total\{reason="slow-consumer"\} (\d+)/.exec(metrics) ?? []
  return Number(count)
}

/** The TCP socket is read no further, as on a machine that hangs. */
function stopReading(socket: Socket): void {
  webSocketOf(socket).pause()
}

function goOnReading(socket: Socket): void {
  webSocketOf(socket).resume()
}

function webSocketOf({ io }: Socket) {
  // Not public: a client library has no reason to offer this.
  const transport = io.engine.transport as unknown as { ws: { pause(): void; resume(): void } }
  return transport.ws
}
