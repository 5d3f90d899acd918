import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { StartError } from '@parley/service'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CertificateFolder } from './certificates.ts'
import { UdpEnd, startTestServer } from './turn-client.ts'

const certificates = new CertificateFolder()

beforeAll(() => {
  certificates.make('one')
  certificates.make('two')
  certificates.write('garbage.pem', 'not a certificate')
})
afterAll(() => {
  certificates.remove()
})

test('a UDP port in use is named with its key', async () => {
  const holder = await UdpEnd.open()
  const listen = `udp://127.0.0.1:${holder.endpoint.port}`
  const start = startTestServer({ PARLEY_TURN_LISTEN: listen })
  await expect(start).rejects.toThrow(StartError)
  await expect(start).rejects.toThrow(/already in use.*PARLEY_TURN_LISTEN/)
  holder.close()
})

test('a TCP port in use is named, and the listeners before it are closed again', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  const probe = await UdpEnd.open()
  const udp = `udp://127.0.0.1:${probe.endpoint.port}`
  probe.close()
  const start = startTestServer({ PARLEY_TURN_LISTEN: `${udp},tcp://127.0.0.1:${port}` })
  await expect(start).rejects.toThrow(/already in use.*PARLEY_TURN_LISTEN/)
  const server = await startTestServer({ PARLEY_TURN_LISTEN: udp })
  await server.close()
  holder.close()
})

test.each([
  ['one.crt', 'two.key', /PARLEY_TURN_TLS_KEY does not belong to .* PARLEY_TURN_TLS_CERT/],
  ['garbage.pem', 'one.key', /PARLEY_TURN_TLS_CERT and PARLEY_TURN_TLS_KEY must name PEM files/],
  ['missing.pem', 'one.key', /PARLEY_TURN_TLS_CERT names a file that cannot be read/],
])('certificate %s with key %s does not start', async (cert, key, message) => {
  const start = startTestServer(certificates.settings(cert, key))
  await expect(start).rejects.toThrow(StartError)
  await expect(start).rejects.toThrow(message)
})
