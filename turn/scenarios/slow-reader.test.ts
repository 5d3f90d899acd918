import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { TurnDialogue, mustDecode, relayedAddressOf } from '../src/testing.ts'
import { methods } from '../src/wire/index.ts'
import { TurnClient, UdpEnd, portOf, startTestServer } from './turn-client.ts'

const DATAGRAM_BYTES = 1_200
const BURST = 200

test('[S20] a client that stops reading loses datagrams instead of filling the server', async () => {
  const server = await startTestServer({ PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8' })
  const peer = await UdpEnd.open()
  const socket = connect(portOf(server, 'tcp'), '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const dialogue = new TurnDialogue()
  const ask = async (request: Uint8Array) => {
    socket.write(request)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    dialogue.absorb(answer)
    return mustDecode(answer)
  }
  await ask(dialogue.allocate())
  const relayed = relayedAddressOf(await ask(dialogue.allocate()))
  await ask(dialogue.channelBind(0x4000, peer.endpoint))
  socket.pause()

  const other = await TurnClient.overUdp(server)
  // What the system buffers for both sockets is a few megabytes; beyond that the server must drop.
  for (let sent = 0; server.stats().dropped === 0; sent += BURST) {
    expect(sent * DATAGRAM_BYTES).toBeLessThan(256 * 1024 * 1024)
    for (let index = 0; index < BURST; index++) peer.send(new Uint8Array(DATAGRAM_BYTES), relayed)
    expect(await other.ask((d) => d.request(methods.binding))).toBe(0)
  }
  expect(server.stats().allocations).toBe(1)

  socket.destroy()
  other.close()
  peer.close()
  await server.close()
})
