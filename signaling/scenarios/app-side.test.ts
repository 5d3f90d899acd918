import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import { Validator } from '@seriousme/openapi-schema-validator'
import { listen } from '@parley/service'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { connect, startStage } from './stage.ts'

const SECRET = 'the app and parley know this'
const ADMIN = 'only operators know this one'
const MEDIA = { audio: true, video: false }
const PATIENCE = { timeout: 15_000 }

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: { type: string; data: Record<string, unknown> }
}

let receiver: Server
let stage: Awaited<ReturnType<typeof startStage>>
const tries: Received[] = []
const taken: Received[] = []
/** How many of the next tries fail. */
let failing = 0

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const event = JSON.parse(body) as Received['event']
      const received = { headers: request.headers, body, event }
      tries.push(received)
      failing -= 1
      if (failing < 0) taken.push(received)
      response.writeHead(failing < 0 ? 204 : 503).end()
    })
  })
  const port = await listen(receiver, { host: '127.0.0.1', port: 0 }, 'test')
  stage = await startStage({
    PARLEY_WEBHOOK_URL: `http://127.0.0.1:${port}/hook`,
    PARLEY_WEBHOOK_SECRET: SECRET,
    PARLEY_ADMIN_SECRET: ADMIN,
  })
})
afterAll(async () => {
  await stage.close()
  receiver.close()
})

test('the app hears of a call in order, although its server fails twice, and can check who says so', async () => {
  failing = 2
  const { alice, bob } = await talk('c1')
  await ask(bob, 'call.hangup', { call: 'c1' })
  await vi.waitFor(() => expect(typesOf('c1')).toContain('call.ended'), PATIENCE)
  expect(typesOf('c1')).toEqual([
    'call.started',
    'participant.joined',
    'participant.joined',
    'call.answered',
    'participant.left',
    'participant.left',
    'call.ended',
  ])
  const ids = tries.filter(({ event }) => event.type === 'call.started')
  expect(ids.map(({ headers }) => headers['webhook-id'])).toEqual(
    Array(3).fill(ids[0]?.headers['webhook-id']),
  )
  expect(taken.every((received) => isGenuine(received, SECRET))).toBe(true)
  const [first] = taken
  if (!first) throw new Error('nothing came')
  expect(isGenuine(first, 'a guess')).toBe(false)
  expect(isGenuine({ ...first, body: first.body.replace('c1', 'c2') }, SECRET)).toBe(false)
  const ended = taken.find(({ event }) => event.type === 'call.ended')?.event.data
  expect(ended).toMatchObject({ call: 'c1', startedBy: 'alice', reason: 'hangup' })
  expect(ended?.['users']).toEqual(['alice', 'bob'])
  expect(Number(ended?.['durationMs'])).toBeGreaterThanOrEqual(Number(ended?.['talkMs']))
  for (const socket of [alice, bob]) socket.close()
})

test('a missed call is told, whether or not the call came about', async () => {
  const alice = await connect(stage.url, 'alice')
  await ask(alice, 'call.start', { call: 'm1', users: ['nobody'], media: MEDIA })
  await vi.waitFor(() => expect(typesOf('m1')).toEqual(['call.missed']), PATIENCE)
  const data = taken.find(({ event }) => event.data['call'] === 'm1')?.event.data
  expect(data).toMatchObject({ user: 'nobody', from: 'alice', reason: 'unreachable' })
  alice.close()
})

test('the OpenAPI document is one, and every answer of the admin API is what it says', async () => {
  const document = (await (await fetch(`${stage.url}/admin/v1/openapi.json`)).json()) as Document
  const valid = await new Validator().validate(
    structuredClone(document) as object as Record<string, unknown>,
  )
  expect(valid.errors).toBeUndefined()
  const { alice, bob } = await talk('c2')
  const participant = (
    (await get('/admin/v1/calls/c2')) as { view: { participants: { id: string }[] } }
  ).view.participants[1]?.id
  const session = ((await get('/admin/v1/users/bob')) as { sessions: { session: string }[] })
    .sessions[0]?.session
  const walk: readonly [string, string, string][] = [
    ['get', '/admin/v1/calls', '/admin/v1/calls?user=alice&limit=5'],
    ['get', '/admin/v1/calls/{call}', '/admin/v1/calls/c2'],
    ['get', '/admin/v1/users/{user}', '/admin/v1/users/bob'],
    [
      'delete',
      '/admin/v1/calls/{call}/participants/{participant}',
      `/admin/v1/calls/c2/participants/${participant}`,
    ],
    ['get', '/admin/v1/records', '/admin/v1/records?user=bob'],
    ['get', '/admin/v1/records/{call}', '/admin/v1/records/c2'],
    ['delete', '/admin/v1/users/{user}/mailbox', '/admin/v1/users/nobody/mailbox'],
    ['delete', '/admin/v1/sessions/{session}', `/admin/v1/sessions/${session}`],
  ]
  for (const [method, path, url] of walk) await agrees(document, method, path, url)
  const third = await talk('c3')
  await agrees(document, 'post', '/admin/v1/calls/{call}/end', '/admin/v1/calls/c3/end')
  const walked = new Set([...walk.map(([m, p]) => `${m} ${p}`), 'post /admin/v1/calls/{call}/end'])
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  expect(new Set(all)).toEqual(walked)
  for (const socket of [alice, bob, third.alice, third.bob]) socket.close()
})

test.each([
  ['GET', '/admin/v1/calls', undefined, 401],
  ['GET', '/admin/v1/calls', 'Bearer a guess', 401],
  ['GET', '/admin/v1/calls?limit=many', `Bearer ${ADMIN}`, 400],
  ['GET', '/admin/v1/calls/%ff', `Bearer ${ADMIN}`, 400],
  ['GET', '/admin/v1/calls/none', `Bearer ${ADMIN}`, 404],
  ['POST', '/admin/v1/calls', `Bearer ${ADMIN}`, 404],
  ['GET', '/admin/v1/users/%20', `Bearer ${ADMIN}`, 400],
  ['DELETE', '/admin/v1/sessions/none', `Bearer ${ADMIN}`, 404],
])(
  '%s %s with %s is refused with %i and a typed error',
  async (method, path, authorization, status) => {
    const response = await fetch(stage.url + path, {
      method,
      headers: authorization === undefined ? {} : { authorization },
    })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code: expect.any(String) as string } })
  },
)

test('without a secret there is no admin API, and with an address of its own it is only there', async () => {
  const bare = await startStage()
  expect((await fetch(`${bare.url}/admin/v1/openapi.json`)).status).toBe(404)
  await bare.close()
  const apart = await startStage({
    PARLEY_ADMIN_SECRET: ADMIN,
    PARLEY_ADMIN_LISTEN: '127.0.0.1:0',
  })
  expect((await fetch(`${apart.url}/admin/v1/openapi.json`)).status).toBe(404)
  const own = await fetch(`http://127.0.0.1:${apart.adminPort}/admin/v1/openapi.json`)
  expect(own.status).toBe(200)
  await apart.close()
})

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: { readonly 'application/json': { schema: object } } }>
  >
}

async function agrees(document: Document, method: string, path: string, url: string) {
  const schema =
    document.paths[path]?.[method]?.responses['200']?.content['application/json'].schema
  const check = new Ajv2020({ strict: false }).compile(schema ?? false)
  const response = await fetch(stage.url + url, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${ADMIN}` },
  })
  const answer: unknown = await response.json()
  expect([response.status, check(answer), check.errors], `${method} ${url}`).toEqual([
    200,
    true,
    null,
  ])
}

async function get(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${ADMIN}` }
  return (await fetch(stage.url + path, { headers })).json()
}

/** Alice rings Bob, who answers. */
async function talk(call: string) {
  const alice = await connect(stage.url, 'alice')
  const bob = await connect(stage.url, 'bob')
  await ask(alice, 'call.start', { call, users: ['bob'], media: MEDIA })
  await ask(bob, 'call.accept', { call, media: MEDIA })
  return { alice, bob }
}

let asked = 0
function ask(socket: Awaited<ReturnType<typeof connect>>, type: string, data: object) {
  asked += 1
  return socket.emitWithAck('request', { id: `r${asked}`, type, data })
}

function typesOf(call: string): string[] {
  return taken.filter(({ event }) => event.data['call'] === call).map(({ event }) => event.type)
}

/** As the Standard Webhooks specification has it, written apart from the server's own. */
function isGenuine({ headers, body }: Received, secret: string): boolean {
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const expected = `v1,${createHmac('sha256', secret).update(content).digest('base64')}`
  return String(headers['webhook-signature']).split(' ').includes(expected)
}
