import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StartError } from '@parley/service'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dial, heard, refusal, startStage } from './stage.ts'

let stage: Awaited<ReturnType<typeof startStage>>
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-web-'))
  await mkdir(join(folder, 'demo'))
  await writeFile(join(folder, 'sdk.js'), 'export const sdk = 1')
  await writeFile(join(folder, 'demo', 'index.html'), '<title>Demo</title>')
  await writeFile(join(folder, 'private.txt'), 'not for you')
  stage = await startStage({ PARLEY_DEV: '1', PARLEY_WEB_ROOT: folder })
})
afterAll(async () => {
  await stage.close()
  await rm(folder, { recursive: true })
})

test('POST /dev/token gives a token that connects, from any origin', async () => {
  const response = await post({ user: 'alice' })
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const { token } = (await response.json()) as { token: string }
  const socket = dial(stage.url, { protocol: 1, token })
  expect(await heard(socket, 'event')).toMatchObject({
    seq: 0,
    type: 'welcome',
    data: { user: 'alice' },
  })
  socket.close()
})

test('POST /dev/token takes the grants that a token should have', async () => {
  const response = await post({ user: 'alice', grants: { ring: false } })
  const { token } = (await response.json()) as { token: string }
  const socket = dial(stage.url, { protocol: 1, token })
  expect(await heard(socket, 'event')).toMatchObject({ data: { grants: { ring: false } } })
  socket.close()
  expect((await post({ user: 'alice', grants: { rings: false } })).status).toBe(400)
})

test.each([{}, { user: 7 }, { user: ' ' }, { user: 'bob', device: 'a b' }])(
  'POST /dev/token refuses %j and names the field',
  async (body) => {
    const response = await post(body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'bad-request' } })
  },
)

test('the SDK and the demo are served; nothing else of the folder is', async () => {
  const sdk = await fetch(`${stage.url}/sdk.js`)
  expect(sdk.headers.get('content-type')).toMatch('text/javascript')
  expect(sdk.headers.get('access-control-allow-origin')).toBe('*')
  expect(await (await fetch(stage.url)).text()).toContain('Demo')
  for (const path of [
    '/private.txt',
    '/../private.txt',
    '/%2e%2e/private.txt',
    '/%00',
    '/..%2fprivate.txt',
  ]) {
    expect((await fetch(stage.url + path)).status, path).toBe(404)
  }
})

test('health, readiness and metrics answer', async () => {
  expect((await fetch(`${stage.url}/healthz`)).status).toBe(200)
  expect((await fetch(`${stage.url}/readyz`)).status).toBe(200)
  expect(await (await fetch(`${stage.url}/metrics`)).text()).toContain(
    'parley_signaling_sessions 0',
  )
})

test('outside development there is neither a token nor a demo', async () => {
  const production = await startStage({ PARLEY_WEB_ROOT: folder })
  expect((await fetch(`${production.url}/dev/token`, { method: 'POST' })).status).toBe(404)
  expect((await fetch(production.url)).status).toBe(404)
  expect((await fetch(`${production.url}/sdk.js`)).status).toBe(200)
  expect(await refusal(dial(production.url, { protocol: 1, token: 'x' }))).toMatchObject({
    code: 'unauthorized',
  })
  await production.close()
})

test('a port in use stops the start and names the key', async () => {
  const port = new URL(stage.url).port
  const second = startStage({ PARLEY_PORT: port })
  await expect(second).rejects.toThrow(StartError)
  await expect(second).rejects.toThrow(/PARLEY_PORT/)
})

function post(body: unknown): Promise<Response> {
  return fetch(`${stage.url}/dev/token`, { method: 'POST', body: JSON.stringify(body) })
}
