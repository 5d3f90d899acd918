import type { Attr } from '../stun-bytes.ts'
import {
  attr,
  build,
  channel,
  channelData,
  messageClass,
  method,
  newId,
  text,
  xorAddress,
} from '../stun-bytes.ts'
import type { Check, Client, Trial } from '../trial.ts'
import { equal, holds } from '../trial.ts'

const FORBIDDEN = { host: '169.254.169.254', port: 80 }
const OTHER_FAMILY = { host: '2606:4700:4700:0:0:0:0:1111', port: 80 }

/** Permissions, channels and data. Checks 49 to 71 and 84. */
export const relayChecks: readonly Check[] = [
  {
    number: 49,
    title: 'CreatePermission without a peer, or with a malformed one: 400',
    run: async (trial) => {
      const client = await trial.allocated()
      equal(await client.code(method.createPermission), 400, 'none')
      const malformed: Attr = [attr.xorPeerAddress, Buffer.alloc(5, 1)]
      equal(await client.code(method.createPermission, [malformed]), 400, 'malformed')
    },
  },
  {
    number: 50,
    title: 'CreatePermission for several peers; a permission is for all ports',
    run: async (trial) => {
      const { client, peer } = await permitted(trial, ['127.0.0.1', '127.0.0.2', '127.0.0.3'])
      peer.send('one', client.relayed.port)
      equal((await client.data()).text, 'one', 'data')
      const other = await trial.peer('127.0.0.2')
      other.send('two', client.relayed.port)
      equal((await client.data()).text, 'two', 'data of another port')
    },
  },
  {
    number: 51,
    title: 'a good peer and one of the other family: 443, and nothing is installed',
    run: async (trial) => {
      await expectNothingInstalled(trial, OTHER_FAMILY, 443)
    },
  },
  {
    number: 52,
    title: 'a good peer and a forbidden one: 403, and nothing is installed',
    run: async (trial) => {
      await expectNothingInstalled(trial, FORBIDDEN, 403)
    },
  },
  {
    number: 53,
    title: 'a peer without permission: dropped; with one: a Data indication',
    run: async (trial) => {
      const client = await trial.allocated()
      const peer = await trial.peer()
      peer.send('too early', client.relayed.port)
      await client.expectSilence()
      equal(await client.permit(peer), 0, 'CreatePermission')
      peer.send('hello', client.relayed.port)
      equal(await client.data(), { by: 0, text: 'hello', port: peer.port }, 'data')
    },
  },
  {
    number: 55,
    title: 'Send without permission: nothing is sent, nothing answered, nothing permitted',
    run: async (trial) => {
      const client = await trial.allocated()
      const peer = await trial.peer()
      client.indicate([peer], 'not this')
      await client.expectSilence()
      equal(await client.permit(peer), 0, 'CreatePermission')
      client.indicate([peer], 'this')
      equal((await peer.next()).text, 'this', 'what arrives first')
    },
  },
  {
    number: 56,
    title: 'Send without DATA, without peer, with an unknown required attribute: dropped',
    run: async (trial) => {
      const { client, peer } = await permitted(trial)
      client.indicate([peer], undefined)
      client.indicate([], 'nobody')
      client.indicate([peer], 'unknown', [[0x7fff, Buffer.alloc(0)]])
      client.indicate([peer], 'right')
      equal((await peer.next()).text, 'right', 'what arrives first')
      await client.expectSilence()
    },
  },
  {
    number: 57,
    title: 'Send with empty DATA: an empty datagram',
    run: async (trial) => {
      const { client, peer } = await permitted(trial)
      client.indicate([peer], '')
      equal((await peer.next()).bytes.length, 0, 'length')
    },
  },
  {
    number: 58,
    title: 'Send with two peers: the first counts',
    run: async (trial) => {
      const { client, peer } = await permitted(trial)
      const second = await trial.peer()
      client.indicate([{ host: '127.0.0.9', port: peer.port }, peer], 'first is not permitted')
      client.indicate([peer, second], 'to the first')
      equal((await peer.next()).text, 'to the first', 'what arrives first')
    },
  },
  {
    number: 59,
    title: 'Send to port 0: dropped, and the server lives',
    run: async (trial) => {
      const { client } = await permitted(trial)
      client.indicate([{ host: '127.0.0.1', port: 0 }], 'nowhere')
      await client.expectSilence()
    },
  },
  {
    number: 60,
    title: 'ChannelBind of 0x4000 and 0x4FFF',
    run: async (trial) => {
      const client = await trial.allocated()
      equal(await client.bind(0x4000, { host: '127.0.0.1', port: 1001 }), 0, '0x4000')
      equal(await client.bind(0x4fff, { host: '127.0.0.1', port: 1002 }), 0, '0x4FFF')
    },
  },
  {
    number: 61,
    title: 'ChannelBind of other numbers, without number or peer: 400',
    run: async (trial) => {
      const client = await trial.allocated()
      const peer = { host: '127.0.0.1', port: 1001 }
      for (const number of [0, 0x3fff, 0x5000, 0x7fff, 0xffff]) {
        equal(await client.bind(number, peer), 400, number.toString(16))
      }
      equal(await client.code(method.channelBind, [channel(0x4000)]), 400, 'without peer')
      const id = newId()
      const only = [xorAddress(attr.xorPeerAddress, peer, id)]
      equal(await client.code(method.channelBind, only, { id }), 400, 'without number')
    },
  },
  {
    number: 62,
    title: 'a channel to another peer, a peer to another channel: 400, the old binding stands',
    run: async (trial) => {
      const { client, peer } = await bound(trial)
      equal(await client.bind(0x4000, { host: '127.0.0.1', port: 1001 }), 400, 'other peer')
      equal(await client.bind(0x4001, peer), 400, 'other channel')
      sendOn(client, 0x4000, 'still here')
      equal((await peer.next()).text, 'still here', 'data')
    },
  },
  {
    number: 63,
    title: 'the same channel to the same peer: refreshed',
    run: async (trial) => {
      const { client, peer } = await bound(trial)
      equal(await client.bind(0x4000, peer), 0, 'code')
    },
  },
  {
    number: 64,
    title: 'ChannelBind to a forbidden peer: 403; of the other family: 443',
    run: async (trial) => {
      const client = await trial.allocated()
      equal(await client.bind(0x4000, FORBIDDEN), 403, 'forbidden')
      equal(await client.bind(0x4000, OTHER_FAMILY), 443, 'other family')
    },
  },
  {
    number: 65,
    title: 'a ChannelBind that fails permits nobody',
    run: async (trial) => {
      const client = await trial.allocated()
      const peer = await trial.peer()
      equal(await client.bind(0x5000, peer), 400, 'code')
      peer.send('too early', client.relayed.port)
      await client.expectSilence()
    },
  },
  {
    number: 66,
    title: "a bound peer's other port: a Data indication",
    run: async (trial) => {
      const { client } = await bound(trial)
      const other = await trial.peer()
      other.send('from elsewhere', client.relayed.port)
      equal(await client.data(), { by: 0, text: 'from elsewhere', port: other.port }, 'data')
    },
  },
  {
    number: 67,
    title: 'a bound peer: ChannelData',
    run: async (trial) => {
      const { client, peer } = await bound(trial)
      peer.send('hello', client.relayed.port)
      equal(await client.data(), { by: 0x4000, text: 'hello', port: 0 }, 'data')
    },
  },
  {
    number: 68,
    title: 'ChannelData on an unbound channel, or longer than its datagram: dropped',
    transports: ['udp'],
    run: async (trial) => {
      const { client, peer } = await bound(trial)
      client.send(channelData(0x4001, 'unbound'))
      client.send(channelData(0x5000, 'reserved'))
      client.send(channelData(0x4000, 'too short').subarray(0, 8))
      client.send(channelData(0x4000, 'right'))
      equal((await peer.next()).text, 'right', 'what arrives first')
      await client.expectSilence()
    },
  },
  {
    number: 69,
    title: 'ChannelData with and without padding: the payload alone arrives',
    transports: ['udp'],
    run: async (trial) => {
      const { client, peer } = await bound(trial)
      client.send(channelData(0x4000, 'five!'))
      equal((await peer.next()).text, 'five!', 'without')
      client.send(Buffer.concat([channelData(0x4000, 'five!'), Buffer.alloc(3)]))
      equal((await peer.next()).text, 'five!', 'with')
    },
  },
  {
    number: 70,
    title: 'empty ChannelData: an empty datagram',
    run: async (trial) => {
      const { client, peer } = await bound(trial)
      sendOn(client, 0x4000, '')
      equal((await peer.next()).bytes.length, 0, 'length')
    },
  },
  {
    number: 71,
    title: 'ChannelData to a client: padded with zeros on streams',
    run: async (trial) => {
      const { client, peer } = await bound(trial)
      peer.send('five!', client.relayed.port)
      const bytes = await client.carrier.next()
      const plain = channelData(0x4000, 'five!')
      const padded = Buffer.concat([plain, Buffer.alloc(3)])
      const isPlain = bytes.equals(plain) && trial.transport === 'udp'
      holds(isPlain || bytes.equals(padded), `${bytes.toString('hex')} is well framed`)
    },
  },
  {
    number: 84,
    title: 'a peer sees the relayed address as the source',
    run: async (trial) => {
      const { client, peer } = await permitted(trial)
      client.indicate([peer], 'who am I')
      equal((await peer.next()).port, client.relayed.port, 'port')
    },
  },
]

async function permitted(trial: Trial, hosts: readonly string[] = ['127.0.0.1']) {
  const client = await trial.allocated()
  const peer = await trial.peer()
  equal(await client.permit(...hosts.map((host) => ({ host, port: 9 }))), 0, 'CreatePermission')
  return { client, peer }
}

async function bound(trial: Trial) {
  const client = await trial.allocated()
  const peer = await trial.peer()
  equal(await client.bind(0x4000, peer), 0, 'ChannelBind')
  return { client, peer }
}

function sendOn(client: Client, number: number, payload: string): void {
  const bytes = channelData(number, payload)
  client.send(Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]))
}

async function expectNothingInstalled(
  trial: Trial,
  bad: { host: string; port: number },
  code: number,
): Promise<void> {
  const client = await trial.allocated()
  const peer = await trial.peer()
  equal(await client.permit(peer, bad), code, 'code')
  const id = newId()
  const attrs = [xorAddress(attr.xorPeerAddress, peer, id), text(attr.data, 'not permitted')]
  client.send(build({ type: method.send | messageClass.indication, id, attrs }))
  peer.send('nor back', client.relayed.port)
  await client.expectSilence()
}
