import fc from 'fast-check'
import { expect, test } from 'vitest'
import { endpoint } from '../testing.ts'
import { VirtualTurn } from '../testing-network.ts'
import type { VirtualClient } from '../testing-network.ts'
import { encodeChannelData, evenPort, lifetime, methods } from '../wire/index.ts'

const SEED = 20_261_122
const peer = endpoint('9.9.9.9', 5_000)

/** What a client in the middle of its work sends; each is mutated below. */
const messages: readonly ((client: VirtualClient) => Uint8Array)[] = [
  ({ dialogue }) => dialogue.request(methods.binding),
  ({ dialogue }) => dialogue.allocate([lifetime(700), evenPort({ reserveNext: false })]),
  ({ dialogue }) => dialogue.request(methods.refresh, [lifetime(700)]),
  ({ dialogue }) => dialogue.createPermission([peer, endpoint('2606:4700::1111', 1)]),
  ({ dialogue }) => dialogue.channelBind(0x4001, endpoint('8.8.8.8', 1)),
  ({ dialogue }) => dialogue.send(peer, Buffer.from('payload')),
  () => encodeChannelData(0x4000, Buffer.from('payload'), { padded: true }),
]

const mutation = fc.record({
  message: fc.nat(messages.length - 1),
  flips: fc.array(fc.record({ at: fc.nat(200), to: fc.nat(255) }), { maxLength: 6 }),
  cut: fc.option(fc.nat(200), { nil: undefined }),
  extra: fc.uint8Array({ maxLength: 12 }),
})

test('[S23] mutated messages never throw, never relay to the refused, and leave the server alive', () => {
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 25 }), fc.boolean(), (mutations, isStream) => {
      const turn = new VirtualTurn({ withIpv6: true })
      const client = turn.client(40_000, { transport: isStream ? 'tcp' : 'udp' })
      client.allocate()
      client.ask((d) => d.channelBind(0x4000, peer))
      for (const step of mutations) {
        client.send(mutated(messages[step.message]?.(client) ?? new Uint8Array(), step))
      }
      for (const sent of turn.sentToPeers) {
        expect(turn.policy.sendVerdict(endpoint(hostOf(sent.peer), 1).address, 1).ok).toBe(true)
      }
      expect(turn.server.allocationCount).toBeLessThanOrEqual(1)
      expect(turn.client(40_001).ask((d) => d.request(methods.binding))).toBe(0)
    }),
    { seed: SEED, numRuns: 1_500 },
  )
})

test('random bytes never throw', () => {
  const turn = new VirtualTurn()
  const client = turn.client(40_000)
  client.allocate()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      client.send(bytes)
    }),
    { seed: SEED, numRuns: 5_000 },
  )
  expect(turn.server.allocationCount).toBe(1)
})

test('[S6] ten thousand strangers leave nothing behind', () => {
  const turn = new VirtualTurn({ limits: { strangerRepliesPerSecond: 100_000 } })
  for (let port = 1; port <= 10_000; port++) {
    const client = turn.client(port)
    client.send(client.dialogue.allocate())
    client.dialogue.useNonce('0'.repeat(24))
    client.send(client.dialogue.allocate())
    expect(turn.server.datagramClient(0, client.endpoint.address, port)).toBeUndefined()
  }
  expect(turn.server.allocationCount).toBe(0)
  expect(turn.countOf('sendToClient')).toBe(20_000)
})

function mutated(
  bytes: Uint8Array,
  {
    flips,
    cut,
    extra,
  }: { flips: { at: number; to: number }[]; cut: number | undefined; extra: Uint8Array },
): Uint8Array {
  const changed = Buffer.concat([bytes.subarray(0, cut), extra])
  for (const { at, to } of flips) if (at < changed.length) changed[at] = to
  return changed
}

function hostOf(peerText: string): string {
  return peerText.slice(0, peerText.lastIndexOf(':'))
}
