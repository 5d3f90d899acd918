import { expect, test } from 'vitest'
import { countingRandom, endpoint } from '../src/testing.ts'
import { methods } from '../src/wire/index.ts'
import { TurnClient, datagramPathsHere, startTestServer } from './turn-client.ts'

test.each(datagramPathsHere)(
  '[S22] %s: garbage and impossible peers leave the server answering',
  async (path) => {
    const server = await startTestServer({
      PARLEY_TURN_ALLOW_PEERS: '0.0.0.0/0',
      PARLEY_TURN_DATAGRAMS: path,
    })
    const client = await TurnClient.overUdp(server)
    await client.allocate()
    const impossible = [
      endpoint('255.255.255.255', 9),
      endpoint('127.0.0.1', 9),
      endpoint('224.0.0.1', 9),
    ]
    expect(await client.ask((d) => d.createPermission(impossible))).toBe(0)
    const random = countingRandom(42)
    for (let round = 0; round < 300; round++) {
      client.send(random(round))
      const peer = impossible[round % 3] ?? endpoint('127.0.0.1', 9)
      const port = round % 2 === 0 ? 0 : peer.port
      client.send(client.dialogue.send({ ...peer, port }, random(round * 5)))
    }
    client.send(client.dialogue.send(endpoint('127.0.0.1', 9), new Uint8Array(65_000)))
    expect(await client.ask((d) => d.request(methods.refresh))).toBe(0)
    client.close()
    await server.close()
  },
)
