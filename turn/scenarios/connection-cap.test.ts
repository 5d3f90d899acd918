import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { defaultLimits } from '../src/core/server-state.ts'
import { methods } from '../src/wire/index.ts'
import { TurnClient, portOf, startTestServer } from './turn-client.ts'

test('[S19] one address holds so many connections and no more, silent or not', async () => {
  const server = await startTestServer()
  const { streamsPerAddress } = defaultLimits
  const sockets: Socket[] = []
  for (let index = 0; index < streamsPerAddress - 1; index++) sockets.push(await connected())
  const last = await TurnClient.overTcp(server)
  expect(await last.ask((d) => d.request(methods.binding))).toBe(0)

  const refused = await connected()
  await once(refused, 'close')
  const datagrams = await TurnClient.overUdp(server)
  expect(await datagrams.ask((d) => d.request(methods.binding))).toBe(0)

  for (const socket of sockets) socket.destroy()
  await expect.poll(answers).toBe(true)
  last.close()
  datagrams.close()
  await server.close()

  async function connected(): Promise<Socket> {
    const socket = connect(portOf(server, 'tcp'), '127.0.0.1').resume()
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  /** Whether a new connection stays long enough to be answered. */
  async function answers(): Promise<boolean> {
    const socket = connect(portOf(server, 'tcp'), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(last.dialogue.request(methods.binding))
    const outcome = await Promise.race([once(socket, 'data'), once(socket, 'close')])
    socket.destroy()
    return Buffer.isBuffer(outcome[0])
  }
})
