import { VirtualTurn } from '../src/testing-network.ts'
import type { VirtualClient } from '../src/testing-network.ts'
import { endpoint } from '../src/testing.ts'
import { encodeChannelData, evenPort, lifetime, methods } from '../src/wire/index.ts'
import type { SeededRandom } from './random.ts'
import { mutated } from './random.ts'

const peer = endpoint('9.9.9.9', 5_000)
const otherPeer = endpoint('8.8.8.8', 1)
const peer6 = endpoint('2606:4700::1111', 1)

/** What a client in the middle of its work sends. */
export const validMessages: readonly ((client: VirtualClient) => Uint8Array)[] = [
  ({ dialogue }) => dialogue.request(methods.binding),
  ({ dialogue }) => dialogue.allocate([lifetime(700), evenPort({ reserveNext: false })]),
  ({ dialogue }) => dialogue.allocate([evenPort({ reserveNext: true })]),
  ({ dialogue }) => dialogue.request(methods.refresh, [lifetime(700)]),
  ({ dialogue }) => dialogue.request(methods.refresh, [lifetime(0)]),
  ({ dialogue }) => dialogue.createPermission([peer, otherPeer]),
  ({ dialogue }) => dialogue.createPermission([peer, peer6]),
  ({ dialogue }) => dialogue.channelBind(0x4001, otherPeer),
  ({ dialogue }) => dialogue.send(peer, Buffer.from('payload')),
  () => encodeChannelData(0x4000, Buffer.from('payload'), { padded: true }),
]

/**
 * Sends mutated messages from several clients into a core of its own, on virtual time. Throws when the
 * core throws, relays to a refused peer, or no longer answers. Gives back how many it sent.
 */
export function fuzzCore(random: SeededRandom, messages: number): number {
  const turn = new VirtualTurn({ withIpv6: true, limits: { bindingRepliesPerSecond: 100_000 } })
  const clients = Array.from({ length: 4 }, (_, index) => {
    const client = turn.client(40_000 + index, { transport: index % 2 === 0 ? 'udp' : 'tcp' })
    client.allocate()
    client.ask((dialogue) => dialogue.channelBind(0x4000, peer))
    return client
  })
  for (let sent = 0; sent < messages; sent++) {
    const client = random.pick(clients)
    client.send(mutated(random.pick(validMessages)(client), random))
    if (random.number(50) === 0) turn.pass({ seconds: random.number(100) })
  }
  for (const { peer: text } of turn.sentToPeers) {
    const host = text.slice(0, text.lastIndexOf(':'))
    if (!turn.policy.sendVerdict(endpoint(host, 1).address, 1).ok) {
      throw new Error(`relayed to ${host}, which is refused`)
    }
  }
  const code = turn.client(50_000).ask((dialogue) => dialogue.request(methods.binding))
  if (code !== 0) throw new Error('the core does not answer any more')
  return messages
}
