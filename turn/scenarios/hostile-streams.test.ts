import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TurnHandle } from '../src/index.ts'
import { TurnDialogue, codeOf, mustDecode } from '../src/testing.ts'
import { methods } from '../src/wire/index.ts'
import { TurnClient, portOf, startTestServer } from './turn-client.ts'

let server: TurnHandle

beforeEach(async () => {
  server = await startTestServer()
})
afterEach(async () => {
  await server.close()
})

test('a request that drips in byte by byte is answered, and so are several in one segment', async () => {
  const socket = await connected()
  const request = new TurnDialogue().request(methods.binding)
  for (const byte of request) socket.write(Uint8Array.of(byte))
  expect(codeOf(mustDecode(await read(socket, 32)))).toBe(0)
  socket.write(Buffer.concat([request, request, request]))
  expect((await read(socket, 96)).length).toBe(96)
  socket.destroy()
})

test.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: turn\r\n\r\n')],
  ['TLS on the plain port', Buffer.from('160301020001', 'hex')],
  ['a stranger’s huge frame', Buffer.from('4000ffff', 'hex')],
  ['a STUN header without its cookie', Buffer.alloc(20)],
])('[S18] %s closes the connection and nothing else', async (_name, bytes) => {
  const socket = await connected()
  socket.write(bytes)
  await once(socket, 'close')
  await expectAlive()
})

test('a client that leaves takes its allocation along', async () => {
  const client = await TurnClient.overTcp(server)
  await client.allocate()
  expect(server.stats().allocations).toBe(1)
  client.close()
  await expect.poll(() => server.stats().allocations).toBe(0)
})

async function expectAlive(): Promise<void> {
  const client = await TurnClient.overTcp(server)
  expect(await client.ask((d) => d.request(methods.binding))).toBe(0)
  client.close()
}

async function connected(): Promise<Socket> {
  const socket = connect(portOf(server, 'tcp'), '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.setNoDelay(true)
  return socket
}

async function read(socket: Socket, byteCount: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  while (length < byteCount) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks)
}
