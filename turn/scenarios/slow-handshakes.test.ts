import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tellApart } from '../src/io/first-byte.ts'
import { openTlsDoor } from '../src/io/tls.ts'
import { CertificateFolder } from './certificates.ts'

const TIMEOUT_MS = 30
const certificates = new CertificateFolder()

beforeAll(() => {
  certificates.make('turn')
})
afterAll(() => {
  certificates.remove()
})

test.each([
  ['silence', ''],
  ['half a ClientHello', '\x16\x03\x01\x00\x02\x01\x00'],
])('[S19] %s where a handshake is due is closed', async (_name, text) => {
  const read = (end: string) => readFileSync(certificates.file(`turn.${end}`), 'utf8')
  const door = openTlsDoor(
    { cert: read('crt'), key: read('key') },
    { onClient: () => expect.unreachable(), handshakeTimeoutMs: TIMEOUT_MS },
  )
  await closesWhatSays(text, (socket) => {
    door.take(socket)
  })
})

test('[S19] silence where the first byte decides is closed', async () => {
  await closesWhatSays('', (socket) => {
    tellApart(socket, { onKnown: () => expect.unreachable(), firstByteMs: TIMEOUT_MS })
  })
})

async function closesWhatSays(text: string, take: (socket: Socket) => void): Promise<void> {
  const server = createServer(take).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1').resume()
  socket.on('error', () => undefined)
  socket.write(text, 'latin1')
  await once(socket, 'close')
  server.close()
  await once(server, 'close')
}
