import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import { listen } from '@parley/service'
import { decodeJwt, importJWK, jwtVerify } from 'jose'
import type { Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { connect, dial, heard, startStage, token } from './stage.ts'

const MEDIA = { audio: true, video: true }
const PATIENCE = { timeout: 10_000 }

interface Push {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly data: Record<string, unknown>
}

/** A browser's subscription, with the private half that only it has. */
class Browser {
  readonly #ecdh = createECDH('prime256v1')
  readonly #auth = randomBytes(16)
  readonly subscription: object

  constructor(endpoint: string) {
    const p256dh = this.#ecdh.generateKeys('base64url')
    this.subscription = { endpoint, keys: { p256dh, auth: this.#auth.toString('base64url') } }
  }

  /** Decrypts as a browser does (RFC 8291 §3), written apart from the server's own. */
  read(body: Buffer): Record<string, unknown> {
    const salt = body.subarray(0, 16)
    const theirs = body.subarray(21, 21 + body.readUInt8(20))
    const sealed = body.subarray(21 + theirs.length)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#ecdh.getPublicKey(), theirs])
    const secret = this.#ecdh.computeSecret(theirs)
    const ikm = Buffer.from(hkdfSync('sha256', secret, this.#auth, info, 32))
    const key = hkdfSync('sha256', ikm, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
    const nonce = hkdfSync('sha256', ikm, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
    const open = createDecipheriv('aes-128-gcm', Buffer.from(key), Buffer.from(nonce))
    open.setAuthTag(sealed.subarray(-16))
    const plain = Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()])
    expect(plain.at(-1)).toBe(2)
    return JSON.parse(plain.subarray(0, -1).toString()) as Record<string, unknown>
  }
}

let service: Server
let origin: string
let stage: Awaited<ReturnType<typeof startStage>>
const pushes: Push[] = []
const browsers = new Map<string, Browser>()
let status = 201

beforeAll(async () => {
  service = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      const data = browsers.get(path)?.read(Buffer.concat(chunks)) ?? {}
      pushes.push({ path, headers: request.headers, data })
      response.writeHead(status).end()
    })
  })
  const port = await listen(service, { host: '127.0.0.1', port: 0 }, 'test')
  origin = `http://127.0.0.1:${port}`
  stage = await startStage({ PARLEY_DEV: '1', PARLEY_RING_TIMEOUT: '30' })
})
afterAll(async () => {
  await stage.close()
  service.close()
})

test('[WAKE-1] a sleeping callee is woken by Web Push, rings, and answers', async () => {
  await fallAsleep('bob', '/bob')
  const alice = await connect(stage.url, 'alice')
  const key = ((await ask(alice, 'push.key', {})) as { data: { key: string } }).data.key
  const started = await ask(alice, 'call.start', {
    call: 'c1',
    users: ['bob'],
    media: MEDIA,
    payload: 'c2VhbGVk',
  })
  expect(started).toMatchObject({ data: { call: { invites: [{ state: 'waking' }] } } })
  const push = await pushed('/bob', 'call')
  expect(push.data).toMatchObject({ call: 'c1', user: 'bob', from: 'alice', payload: 'c2VhbGVk' })
  expect(push.headers).toMatchObject({ urgency: 'high', 'content-encoding': 'aes128gcm' })
  expect(Number(push.headers['ttl'])).toBeLessThanOrEqual(30)
  await expect(vapidOf(push, key)).resolves.toMatchObject({ aud: origin })
  // The push is what makes the device connect.
  const bob = await arrive('bob')
  await vi.waitFor(() => expect(bob.incoming).toEqual(['c1']), PATIENCE)
  expect(await ask(bob.socket, 'call.accept', { call: 'c1', media: MEDIA })).toMatchObject({
    data: { call: { answered: true } },
  })
  alice.close()
  bob.socket.close()
})

test('[WAKE-4] a gone subscription is forgotten, and the caller need not wait', async () => {
  await fallAsleep('carol', '/carol')
  const alice = await connect(stage.url, 'alice')
  status = 410
  await ask(alice, 'call.start', { call: 'c2', users: ['carol'], media: MEDIA })
  await pushed('/carol', 'call')
  await vi.waitFor(async () => {
    const again = await ask(alice, 'call.start', { call: 'c3', users: ['carol'], media: MEDIA })
    expect(again).toMatchObject({ error: { code: 'user-offline' } })
  }, PATIENCE)
  status = 201
  alice.close()
  const carol = await arrive('carol')
  await vi.waitFor(
    () => expect(carol.missed).toEqual(expect.arrayContaining(['c2', 'c3'])),
    PATIENCE,
  )
  carol.socket.close()
})

test('[WAKE-2] who does not come has word of the missed call pushed to him', async () => {
  await fallAsleep('dave', '/dave')
  const alice = await connect(stage.url, 'alice')
  await ask(alice, 'call.start', { call: 'c4', users: ['dave'], media: MEDIA })
  await ask(alice, 'call.hangup', { call: 'c4' })
  const push = await pushed('/dave', 'missed')
  expect(push.data).toMatchObject({ call: 'c4', from: 'alice', reason: 'cancelled' })
  // The newer word takes the place of the ring, should that still wait.
  const ring = await pushed('/dave', 'call')
  expect(push.headers['topic']).toBe(ring.headers['topic'])
  alice.close()
})

test('a browser in which somebody else signs in no longer rings for the former one', async () => {
  await fallAsleep('erin', '/shared')
  await fallAsleep('frank', '/shared')
  const alice = await connect(stage.url, 'alice')
  const answer = await ask(alice, 'call.start', { call: 'c5', users: ['erin'], media: MEDIA })
  expect(answer).toMatchObject({ error: { code: 'user-offline' } })
  alice.close()
})

test('outside development only https at public addresses is talked to', async () => {
  const key = Buffer.alloc(32, 7).toString('base64url')
  const production = await startStage({
    PARLEY_PUSH_PRIVATE_KEY: key,
    PARLEY_PUSH_SUBJECT: 'mailto:operator@example.org',
  })
  const mallory = await connect(production.url, 'mallory')
  for (const endpoint of [
    `${origin}/x`,
    'https://me:pw@push.example.org/x',
    'file:///etc/passwd',
  ]) {
    const answer = await ask(mallory, 'push.subscribe', new Browser(endpoint).subscription)
    expect(answer, endpoint).toMatchObject({ error: { code: 'bad-request' } })
  }
  const inside = `${origin.replace('http:', 'https:')}/inside`
  await ask(mallory, 'push.subscribe', new Browser(inside).subscription)
  mallory.close()
  let connections = 0
  service.on('connection', () => (connections += 1))
  const alice = await connect(production.url, 'alice')
  const ended = heardOf(alice, 'call.ended')
  await ask(alice, 'call.start', { call: 'c6', users: ['mallory'], media: MEDIA })
  expect(await ended).toMatchObject({ call: 'c6', reason: 'no-answer' })
  expect(connections).toBe(0)
  alice.close()
  await production.close()
})

/** Subscribes a user's browser and lets it go to sleep. */
async function fallAsleep(user: string, path: string): Promise<void> {
  const browser = new Browser(origin + path)
  browsers.set(path, browser)
  const socket = await connect(stage.url, user)
  expect(await ask(socket, 'push.subscribe', browser.subscription)).toMatchObject({ ok: true })
  socket.close()
  await vi.waitFor(async () => {
    const metrics = await (await fetch(`${stage.url}/metrics`)).text()
    expect(metrics).toContain('parley_signaling_sessions 0')
  }, PATIENCE)
}

async function pushed(path: string, type: string): Promise<Push> {
  const find = () => pushes.find((push) => push.path === path && push.data['type'] === type)
  await vi.waitFor(() => expect(find()).toBeDefined(), PATIENCE)
  return find() as Push
}

async function vapidOf({ headers }: Push, key: string) {
  const [, jwt = '', k = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.authorization ?? '') ?? []
  expect(k).toBe(key)
  const point = Buffer.from(key, 'base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  await jwtVerify(jwt, await importJWK(jwk, 'ES256'))
  return decodeJwt(jwt)
}

/** Connects and notes what is heard from the first moment on. */
async function arrive(user: string) {
  const auth = { protocol: 1, token: await token(user), device: `${user}-device` }
  const socket = dial(stage.url, auth)
  const incoming: string[] = []
  const missed: string[] = []
  socket.on('event', ({ type, data }: { type: string; data: never }) => {
    if (type === 'call.incoming') incoming.push((data as { call: { id: string } }).call.id)
    if (type === 'mailbox.missed') {
      missed.push(...(data as { missed: { call: string }[] }).missed.map(({ call }) => call))
    }
  })
  await heard(socket, 'event')
  return { socket, incoming, missed }
}

function heardOf(socket: Socket, type: string): Promise<unknown> {
  return new Promise((resolve) => {
    socket.on('event', (frame: { type: string; data: unknown }) => {
      if (frame.type === type) resolve(frame.data)
    })
  })
}

let asked = 0
function ask(socket: Socket, type: string, data: object): Promise<unknown> {
  asked += 1
  return socket.emitWithAck('request', { id: `r${asked}`, type, data })
}
