import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TurnHandle } from '../src/index.ts'
import { codeOf } from '../src/testing.ts'
import { attributeValue, DATA, encodeChannelData, methods } from '../src/wire/index.ts'
import { TurnClient, UdpEnd, datagramPathsHere, startTestServer } from './turn-client.ts'

const carriers = [
  ['UDP', (s: TurnHandle) => TurnClient.overUdp(s)],
  ['TCP', (s: TurnHandle) => TurnClient.overTcp(s)],
] as const
const stages = datagramPathsHere.flatMap((path) =>
  carriers.map(([name, connect]) => [name, path, connect] as const),
)

describe.each(stages)('a client over %s, datagrams %s', (_name, path, connect) => {
  let server: TurnHandle
  let peer: UdpEnd

  beforeEach(async () => {
    server = await startTestServer({
      PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8',
      PARLEY_TURN_DATAGRAMS: path,
    })
    peer = await UdpEnd.open()
  })
  afterEach(async () => {
    peer.close()
    await server.close()
  })

  test('relays by Send and Data indications and by channel, both ways', async () => {
    const client = await connect(server)
    const relayed = await client.allocate()

    expect(await client.ask((d) => d.createPermission([peer.endpoint]))).toBe(0)
    client.send(client.dialogue.send(peer.endpoint, Buffer.from('out')))
    expect(String(await peer.inbox.take())).toBe('out')
    peer.send(Buffer.from('back'), relayed)
    const indication = client.dialogue.absorb(await client.inbox.take())
    expect(indication.method).toBe(methods.data)
    expect(String(Buffer.from(attributeValue(indication, DATA) ?? []))).toBe('back')

    expect(await client.ask((d) => d.channelBind(0x4001, peer.endpoint))).toBe(0)
    client.send(encodeChannelData(0x4001, Buffer.from('hello'), { padded: false }))
    expect(String(await peer.inbox.take())).toBe('hello')
    peer.send(Buffer.from('world'), relayed)
    const framed = await client.inbox.take()
    expect(framed).toEqual(encodeChannelData(0x4001, Buffer.from('world'), { padded: false }))

    expect(server.stats()).toMatchObject({ allocations: 1, bytesToPeer: 8, bytesToClient: 9 })
    client.close()
  })

  test('gets its address from a Binding request', async () => {
    const client = await connect(server)
    client.send(client.dialogue.request(methods.binding))
    expect(codeOf(client.dialogue.absorb(await client.inbox.take()))).toBe(0)
    client.close()
  })
})
