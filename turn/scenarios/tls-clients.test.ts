import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { TurnHandle } from '../src/index.ts'
import { CertificateFolder } from './certificates.ts'
import { TurnClient, UdpEnd, portOf, startTestServer } from './turn-client.ts'

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
    PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8',
  })
})
afterEach(async () => {
  await server.close()
})

test('a client relays over TLS', async () => {
  const peer = await UdpEnd.open()
  const client = await TurnClient.overTls(server)
  const relayed = await client.allocate()
  expect(await client.ask((d) => d.createPermission([peer.endpoint]))).toBe(0)
  client.send(client.dialogue.send(peer.endpoint, Buffer.from('out')))
  expect(String(await peer.inbox.take())).toBe('out')
  peer.send(Buffer.from('back'), relayed)
  expect((await client.inbox.take()).toString('latin1')).toContain('back')
  client.close()
  peer.close()
})

test.each([
  ['TLS 1.1', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }],
  ['another protocol by ALPN', { ALPNProtocols: ['h2'] }],
] as const)('[S27] %s is refused', async (_name, options) => {
  const socket = connect({
    port: portOf(server, 'tls'),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...options,
    ALPNProtocols: 'ALPNProtocols' in options ? [...options.ALPNProtocols] : [],
  })
  const [error] = (await once(socket, 'error').catch((e: unknown) => [e])) as [Error]
  expect(error).toBeInstanceOf(Error)
})

test('a TLS client without ALPN or server name is served', async () => {
  const socket = connect({
    port: portOf(server, 'tls'),
    host: '127.0.0.1',
    rejectUnauthorized: false,
  })
  await once(socket, 'secureConnect')
  expect(socket.getProtocol()).toMatch(/^TLSv1\.[23]$/)
  expect(socket.alpnProtocol).toBe(false)
  socket.destroy()
})
