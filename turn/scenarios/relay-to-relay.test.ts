import { expect, test } from 'vitest'
import { encodeChannelData } from '../src/wire/index.ts'
import { TurnClient, datagramPathsHere, startTestServer } from './turn-client.ts'

test.each(datagramPathsHere)(
  '%s: two clients that can only relay reach each other, though no peer is allowed',
  async (path) => {
    const server = await startTestServer({ PARLEY_TURN_DATAGRAMS: path })
    const alice = await TurnClient.overUdp(server, 'alice')
    const bob = await TurnClient.overTcp(server, 'bob')
    const ofAlice = await alice.allocate()
    const ofBob = await bob.allocate()
    expect(await alice.ask((d) => d.channelBind(0x4000, ofBob))).toBe(0)
    expect(await bob.ask((d) => d.channelBind(0x4abc, ofAlice))).toBe(0)

    const frame = (channel: number, text: string) =>
      encodeChannelData(channel, Buffer.from(text), { padded: false })
    alice.send(frame(0x4000, 'hello'))
    expect(await bob.inbox.take()).toEqual(frame(0x4abc, 'hello'))
    bob.send(frame(0x4abc, 'hi'))
    expect(await alice.inbox.take()).toEqual(frame(0x4000, 'hi'))

    alice.close()
    bob.close()
    await server.close()
  },
)
