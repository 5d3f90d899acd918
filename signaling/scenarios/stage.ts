import { MESSAGE_PACK_PATH, messagePackParser } from '@parley/protocol/message-pack'
import { createLog, Health, Metrics, Secret } from '@parley/service'
import { readSignalingConfig, startSignaling } from '@parley/signaling'
import { SignJWT } from 'jose'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { FakeSfuNode } from '../src/testing.ts'

export const SECRET = 'a secret that only these tests know'

/** A real signaling service on a free port. */
export async function startStage(env: Readonly<Record<string, string>> = {}) {
  const config = readSignalingConfig({
    PARLEY_HOST: '127.0.0.1',
    PARLEY_PORT: '0',
    PARLEY_SECRET: SECRET,
    ...env,
  })
  const metrics = new Metrics()
  const signaling = await startSignaling(config, {
    log: createLog('test', { level: 'silent' }),
    metrics,
    health: new Health(),
    nodes: [new FakeSfuNode()],
  })
  return {
    url: `http://127.0.0.1:${signaling.port}`,
    adminPort: signaling.adminPort,
    close: () => signaling.close(),
  }
}

/** A token as an app's own server would sign it. */
export function token(
  user: string,
  { expiresIn = '1 hour', secret = SECRET }: { expiresIn?: string; secret?: string } = {},
): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(new TextEncoder().encode(new Secret(secret).reveal()))
}

/** How a client's messages are written. */
export type WireFormat = 'json' | 'msgpack'

/** A bare Socket.IO client, as a stranger would write one. */
export function dial(
  url: string,
  auth: Readonly<Record<string, unknown>>,
  format: WireFormat = 'json',
): Socket {
  const entrance = format === 'json' ? {} : { path: MESSAGE_PACK_PATH, parser: messagePackParser }
  const options = { transports: ['websocket'], forceNew: true, reconnection: false, auth }
  return io(url, { ...options, ...entrance })
}

/** Connects a user and waits for the welcome. */
export async function connect(url: string, user: string, format?: WireFormat): Promise<Socket> {
  const auth = { protocol: 1, token: await token(user), device: `${user}-device` }
  const socket = dial(url, auth, format)
  await heard(socket, 'event')
  return socket
}

/** The error data of a refused connection. */
export async function refusal(socket: Socket): Promise<unknown> {
  const error = (await heard(socket, 'connect_error')) as { readonly data?: unknown }
  socket.close()
  return error.data
}

/** The first argument of the next event of this name. */
export function heard(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve))
}
