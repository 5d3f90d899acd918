import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Clock } from '../src/ports.ts'
import { Signaling } from '../src/signaling.ts'
import { socketIoLink } from '../src/socketio/link.ts'
import { countingRandom } from '../src/testing.ts'
import { startSignalingProcess } from './signaling-process.ts'

const PATIENCE = { timeout: 45_000, interval: 50 }
const SESSIONS = 2

/** The clients take their time, so that a slow machine does not make them give up. */
const SLOWNESS = 3

const clock: Clock = {
  now: () => performance.now() / SLOWNESS,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs * SLOWNESS)
    return () => clearTimeout(timer)
  },
}

let server: Awaited<ReturnType<typeof startSignalingProcess>>
beforeEach(async () => {
  server = await startSignalingProcess({ PARLEY_SESSIONS_PER_ADDRESS: String(SESSIONS) })
})
afterEach(() => server.stop())

test('[BUSY-2] an address that has all its connections is refused at the upgrade, and waits for one', async () => {
  const [first, ...others] = await Promise.all(
    Array.from({ length: SESSIONS }, (_, i) => client(i)),
  )
  const all = [first, ...others].flatMap((one) => one ?? [])
  for (const { signaling } of all) signaling.connect()
  await vi.waitFor(() => expect(all.every(isConnected)).toBe(true), PATIENCE)

  const { statusCode, headers } = await upgrade(server.url)
  expect(statusCode).toBe(503)
  expect(Number(headers['retry-after'])).toBeGreaterThan(0)

  // A browser does not tell why a socket was not opened: to the SDK the server is not there yet.
  const late = await client(SESSIONS)
  late.signaling.connect()
  await vi.waitFor(() => expect(late.refusals.length).toBeGreaterThan(1), PATIENCE)
  expect(late.refusals.every((error) => error === undefined)).toBe(true)
  expect(late.signaling.state).toBe('connecting')
  expect(late.signaling.failure).toBeUndefined()

  first?.signaling.close()
  await vi.waitFor(() => expect(late.signaling.state).toBe('connected'), PATIENCE)
  for (const { signaling } of [...all, late]) signaling.close()
})

async function client(index: number) {
  const refusals: unknown[] = []
  const token = await server.token(`person-${index}`)
  const link = socketIoLink()
  const signaling = new Signaling({
    ...{ clock, url: server.url, device: `device-${index}` },
    link: {
      open: (url, auth, listener) =>
        link.open(url, auth, {
          event: (frame) => listener.event(frame),
          lost: () => listener.lost(),
          refused(error) {
            refusals.push(error)
            listener.refused(error)
          },
        }),
    },
    random: countingRandom(),
    token: () => token,
    recall: () => Promise.resolve(undefined),
  })
  return { signaling, refusals }
}

function isConnected({ signaling }: { readonly signaling: Signaling }): boolean {
  return signaling.state === 'connected'
}

/** Asks for a WebSocket as a browser does, and hears what a browser keeps to itself. */
async function upgrade(url: string): Promise<IncomingMessage> {
  const asked = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  return response
}
