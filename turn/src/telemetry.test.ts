import { Metrics } from '@parley/service'
import { expect, test } from 'vitest'
import { publishMetrics } from './telemetry.ts'
import { endpoint } from './testing.ts'
import { VirtualTurn } from './testing-network.ts'

test('totals reach Prometheus once each, without names of users', async () => {
  const metrics = new Metrics()
  const turn = new VirtualTurn()
  publishMetrics(metrics, [turn.server.counters])
  const peer = endpoint('9.9.9.9', 1)
  for (let port = 1; port <= 3; port++) {
    const client = turn.client(port, { user: `user-${port}` })
    const relayed = client.allocate()
    client.ask((d) => d.channelBind(0x4000, peer))
    client.sendOnChannel(0x4000, 'four')
    client.sendOnChannel(0x4001, 'lost')
    turn.peerSends(peer, relayed, 'five!')
    await metrics.text()
  }
  const { body } = await metrics.text()
  for (const line of [
    'parley_turn_allocations 3',
    'parley_turn_relayed_bytes_total{direction="to_peer"} 12',
    'parley_turn_relayed_bytes_total{direction="to_client"} 15',
    'parley_turn_relayed_packets_total{direction="to_client"} 3',
    'parley_turn_responses_total{method="allocate",code="0"} 3',
    'parley_turn_responses_total{method="allocate",code="401"} 3',
    'parley_turn_dropped_packets_total{reason="noChannel"} 3',
  ]) {
    expect(body).toContain(line)
  }
  expect(body).not.toContain('user-')
})

test('[S28] ten thousand names add no series', async () => {
  const metrics = new Metrics()
  const turn = new VirtualTurn({ relayPorts: { first: 50_000, last: 50_001 } })
  publishMetrics(metrics, [turn.server.counters])
  const series = async () => (await metrics.text()).body.split('\n').length
  const visit = (name: number) => {
    const client = turn.client(1, { user: `user-${name}` })
    client.allocate()
    turn.server.endSessions({ by: 'user', user: `user-${name}` })
    turn.run()
    turn.commands.length = 0
  }
  visit(0)
  const before = await series()
  for (let name = 1; name <= 10_000; name++) {
    visit(name)
    if (name % 25 === 0) turn.passUnswept({ seconds: 1 })
  }
  expect(await series()).toBe(before)
  expect(turn.server.allocationCount).toBe(0)
})
