import { expect, test } from 'vitest'
import { endpoint } from '../src/testing.ts'
import { encodeChannelData, methods } from '../src/wire/index.ts'
import { TurnClient, UdpEnd, startTestServer } from './turn-client.ts'

test('a service on this machine hears nothing through the relay', async () => {
  const server = await startTestServer()
  const sink = await UdpEnd.open()
  const { port } = sink.endpoint
  const client = await TurnClient.overUdp(server)
  await client.allocate()
  for (const host of ['127.0.0.1', '127.0.0.8', '0.0.0.0', '169.254.169.254', '255.255.255.255']) {
    const target = endpoint(host, port)
    // The relay is bound to 127.0.0.1, so a permission for that address is one for other relays.
    const mayBePermitted = host === '127.0.0.1'
    expect(await client.ask((d) => d.createPermission([target]))).toBe(mayBePermitted ? 0 : 403)
    expect(await client.ask((d) => d.channelBind(0x4000, target))).toBe(isRelayPort(port, host))
    client.send(client.dialogue.send(target, Buffer.from('reached')))
    client.send(encodeChannelData(0x4000, Buffer.from('reached'), { padded: false }))
  }
  // Datagrams to one socket keep their order on loopback: what comes first is all there was.
  expect(await client.ask((d) => d.request(methods.refresh))).toBe(0)
  sink.send(Buffer.from('last'), sink.endpoint)
  expect(String(await sink.inbox.take())).toBe('last')
  expect(server.stats().packetsToPeer).toBe(0)

  client.close()
  sink.close()
  await server.close()
})

/** A free port of the system may lie in the relay range, where a channel may wait for a relay. */
function isRelayPort(port: number, host: string): 0 | 403 {
  return host === '127.0.0.1' && port >= 49_152 ? 0 : 403
}
