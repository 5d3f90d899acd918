import { expect, test } from 'vitest'
import { endpoint, relayedAddressOf } from '../src/testing.ts'
import {
  XOR_RELAYED_ADDRESS,
  additionalAddressFamily,
  readXorAddress,
  requestedAddressFamily,
  transactionIdOf,
} from '../src/wire/index.ts'
import { TurnClient, UdpEnd, startTestServer } from './turn-client.ts'

const settings = {
  PARLEY_TURN_LISTEN: 'udp://127.0.0.1:0,udp://[::1]:0',
  PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1,::1',
  PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8,::1',
}

test('an IPv6 relay reaches IPv6 peers and nobody else', async () => {
  const server = await startTestServer(settings)
  const [peer, mapped] = [await UdpEnd.open('::1'), await UdpEnd.open()]
  const client = await TurnClient.overUdp(server)
  const family = [requestedAddressFamily(6)]
  const relayed = relayedAddressOf(await client.converse((d) => d.allocate(family)))
  expect(relayed.host).toBe('0:0:0:0:0:0:0:1')
  expect(await client.ask((d) => d.createPermission([peer.endpoint]))).toBe(0)
  client.send(client.dialogue.send(peer.endpoint, Buffer.from('out')))
  expect(String(await peer.inbox.take())).toBe('out')
  peer.send(Buffer.from('back'), relayed)
  expect((await client.inbox.take()).toString('latin1')).toContain('back')

  expect(await client.ask((d) => d.createPermission([mapped.endpoint]))).toBe(443)
  const spelled = endpoint('::ffff:10.0.0.1', mapped.endpoint.port)
  expect(await client.ask((d) => d.createPermission([spelled]))).toBe(403)
  for (const end of [peer, mapped, client]) end.close()
  await server.close()
})

test('a client on IPv6 has a relay of each family', async () => {
  const server = await startTestServer(settings)
  const peers = [await UdpEnd.open(), await UdpEnd.open('::1')] as const
  const client = await TurnClient.overUdp(server, 'alice', '::1')
  const answer = await client.converse((d) => d.allocate([additionalAddressFamily()]))
  const relays = answer.attributes
    .filter(({ type }) => type === XOR_RELAYED_ADDRESS)
    .map(({ value }) => readXorAddress(value, transactionIdOf(answer)))
  expect(relays.map((relay) => relay?.host)).toEqual(['127.0.0.1', '0:0:0:0:0:0:0:1'])
  const endpoints = peers.map((peer) => peer.endpoint)
  expect(await client.ask((d) => d.createPermission(endpoints))).toBe(0)
  for (const [index, peer] of peers.entries()) {
    client.send(client.dialogue.send(peer.endpoint, Buffer.from(`to ${index}`)))
    expect(String(await peer.inbox.take())).toBe(`to ${index}`)
    peer.send(Buffer.from(`from ${index}`), relays[index] ?? peer.endpoint)
    expect((await client.inbox.take()).toString('latin1')).toContain(`from ${index}`)
  }
  for (const end of [...peers, client]) end.close()
  await server.close()
})
