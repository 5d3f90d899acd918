import { once } from 'node:events'
import { connect } from 'node:tls'
import { createLog } from '@parley/service'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readTurnConfig } from '../src/index.ts'
import type { TurnHandle } from '../src/index.ts'
import { watchConfig } from '../src/reload.ts'
import { methods } from '../src/wire/index.ts'
import { CertificateFolder } from './certificates.ts'
import { TurnClient, UdpEnd, portOf, startTestServer } from './turn-client.ts'

const log = createLog('turn', { level: 'silent' })
const certificates = new CertificateFolder()

beforeAll(() => {
  for (const name of ['first', 'second']) certificates.make(name)
})
afterAll(() => {
  certificates.remove()
})

test.each(['1', '2'])(
  'files that change are taken over by %s workers, and running sessions go on',
  async (workers) => {
    const settings = fileSettings(workers)
    certificates.write('secret', 'old secret')
    certificates.copy('first', 'live')
    const server = await startTestServer(settings)
    const config = readTurnConfig(settings)
    expect(config.watchedFiles).toHaveLength(3)
    const watch = watchConfig(server, {
      files: config.watchedFiles,
      read: () => readTurnConfig(settings),
      log,
      lookEveryMs: 20,
    })
    const running = await TurnClient.overTls(server, 'alice', undefined, 'old secret')
    await running.allocate()
    expect(await certificateOf(server)).toBe('first')

    certificates.copy('second', 'live')
    certificates.write('secret', 'the new secret')
    await expect.poll(() => certificateOf(server)).toBe('second')
    await expect.poll(() => codeWith(server, 'the new secret')).toBe(0)
    expect(await codeWith(server, 'old secret')).toBe(401)
    expect(await running.ask((d) => d.request(methods.refresh))).toBe(0)

    watch.close()
    running.close()
    await server.close()
  },
)

test('a configuration that cannot be read leaves the old one in place', async () => {
  const settings = fileSettings('1')
  certificates.write('secret', 'old secret')
  certificates.copy('first', 'live')
  const server = await startTestServer(settings)
  const read = () => readTurnConfig(settings)
  const watch = watchConfig(server, { files: [], read, log })
  certificates.write('live.crt', 'not a certificate')
  certificates.write('secret', 'the new secret')
  await watch.reload()
  expect(await certificateOf(server)).toBe('first')
  expect(await codeWith(server, 'old secret')).toBe(0)
  watch.close()
  await server.close()
})

test('[S3] a range that is denied anew is cut off at once, permission or not', async () => {
  const allowed = { ...fileSettings('1'), PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8' }
  certificates.write('secret', 'old secret')
  certificates.copy('first', 'live')
  const server = await startTestServer(allowed)
  const peer = await UdpEnd.open()
  const client = await TurnClient.overTls(server, 'alice', undefined, 'old secret')
  await client.allocate()
  expect(await client.ask((d) => d.createPermission([peer.endpoint]))).toBe(0)
  client.send(client.dialogue.send(peer.endpoint, Buffer.from('before')))
  expect(String(await peer.inbox.take())).toBe('before')
  await server.reload(readTurnConfig({ ...allowed, PARLEY_TURN_DENY_PEERS: '127.0.0.0/8' }))
  client.send(client.dialogue.send(peer.endpoint, Buffer.from('after')))
  expect(await client.ask((d) => d.request(methods.refresh))).toBe(0)
  expect(server.stats()).toMatchObject({ packetsToPeer: 1, dropped: 1 })
  peer.close()
  client.close()
  await server.close()
})

function fileSettings(workers: string): Record<string, string> {
  return {
    ...certificates.settings('live.crt', 'live.key'),
    PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1',
    PARLEY_TURN_SECRET: '',
    PARLEY_TURN_SECRET_FILE: certificates.file('secret'),
    PARLEY_TURN_WORKERS: workers,
  }
}

async function certificateOf(server: TurnHandle): Promise<unknown> {
  const port = portOf(server, 'tls')
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

async function codeWith(server: TurnHandle, secret: string): Promise<number> {
  const client = await TurnClient.overTls(server, 'bob', undefined, secret)
  const code = await client.ask((d) => d.allocate())
  client.close()
  return code
}
