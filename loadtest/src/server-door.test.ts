import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { requireOwnMachine, requireServer, tokenSource } from './server-door.ts'

test('this machine may be loaded, another one may not', async () => {
  await requireOwnMachine(new URL('http://127.0.0.1:3000'))
  await requireOwnMachine(new URL('http://[::1]:3000'))
  await expect(requireOwnMachine(new URL('http://192.0.2.7'))).rejects.toThrow('--allow-remote')
})

test('a server that is not there is named, with what to do', async () => {
  const { url, close } = await serve(200, '{}')
  close()
  await expect(requireServer(url)).rejects.toThrow(/Nothing answers at .*npm start.*--start/)
})

test('a server that hands out no tokens is named, with what to do', async () => {
  const { url } = await serve(404, '')
  await expect(tokenSource(url, undefined)('alice')).rejects.toThrow(/404.*PARLEY_SECRET/)
})

test('a token is taken from a server in development mode', async () => {
  const { url } = await serve(200, '{"token":"t"}')
  expect(await tokenSource(url, undefined)('alice')).toBe('t')
})

async function serve(status: number, body: string) {
  const server = createServer((_, response) => response.writeHead(status).end(body))
  const close = () => server.close()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void close())
  const { port } = server.address() as AddressInfo
  return { url: new URL(`http://127.0.0.1:${port}`), close }
}
