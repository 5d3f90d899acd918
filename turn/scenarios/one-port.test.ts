import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TurnHandle } from '../src/index.ts'
import { CertificateFolder } from './certificates.ts'
import { TurnClient, portOf, startTestServer } from './turn-client.ts'

const certificates = new CertificateFolder()
let server: TurnHandle

beforeAll(() => {
  certificates.make('turn')
})
afterAll(() => {
  certificates.remove()
})
beforeEach(async () => {
  server = await startTestServer({
    ...certificates.settings('turn.crt', 'turn.key'),
    PARLEY_TURN_LISTEN: 'auto://127.0.0.1:0',
  })
})
afterEach(async () => {
  await server.close()
})

test('plain and TLS clients are served on one port', async () => {
  const port = portOf(server, 'auto')
  const plain = await TurnClient.overTcp(server, 'alice', port)
  const secure = await TurnClient.overTls(server, 'bob', port)
  await plain.allocate()
  await secure.allocate()
  const sessions = await server.sessions()
  expect(sessions.map(({ user, transport }) => [user, transport])).toEqual([
    ['alice', 'tcp'],
    ['bob', 'tls'],
  ])
  plain.close()
  secure.close()
})

test('a handshake in pieces is still TLS, and ALPN is answered', async () => {
  const raw = connect(portOf(server, 'auto'), '127.0.0.1')
  raw.setNoDelay(true)
  const socket = connectTls({
    socket: raw,
    rejectUnauthorized: false,
    ALPNProtocols: ['stun.turn'],
  })
  await once(socket, 'secureConnect')
  expect(socket.alpnProtocol).toBe('stun.turn')
  socket.destroy()
})

test.each([
  ['HTTP', 'GET / HTTP/1.1\r\n\r\n'],
  ['what only begins like TLS', '\x16\x03\x01\x00\x04\xff\xff\xff\xff'],
])('%s is closed, and the port lives', async (_name, text) => {
  const socket = connect(portOf(server, 'auto'), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(text, 'latin1')
  await once(socket, 'close')
  const client = await TurnClient.overTcp(server, 'alice', portOf(server, 'auto'))
  await client.allocate()
  client.close()
})
