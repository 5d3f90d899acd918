import type { NodeEvent } from '@parley/protocol'
import { createLog } from '@parley/service'
import { describe, expect, test } from 'vitest'
import { LEASE_MS } from './core/lease.ts'
import { Hub } from './hub.ts'
import { FakeEngine } from './testing.ts'

const room = { call: 'call-1', epoch: 1 }

describe('orders', () => {
  test('are counted by type and outcome, unknown ones together', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    await t.order('peer.view', { ...room, peer: 'nobody', views: [] })
    await t.order('room.burn', {})
    expect(t.ordered).toEqual([
      ['room.open', 'ok'],
      ['peer.view', 'media-order'],
      ['unknown', 'unknown-request'],
    ])
  })

  test('of one room wait for each other, those of another room do not', async () => {
    const t = nodeAt(0)
    let openGate: () => void = () => undefined
    t.engine.gate = new Promise((resolve) => (openGate = resolve))
    const opening = t.order('room.open', room)
    const entering = t.order('peer.open', { ...room, peer: 'alice' })
    const closed = await t.order('room.close', { call: 'call-2', epoch: 1 })
    expect(closed.ok).toBe(true)
    openGate()
    expect((await opening).ok).toBe(true)
    expect((await entering).ok).toBe(true)
  })

  test('under way when the worker dies are answered, and leave nothing behind', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    let openGate: () => void = () => undefined
    t.engine.gate = new Promise((resolve) => (openGate = resolve))
    const entering = t.order('peer.open', { ...room, peer: 'alice' })
    // The order reaches the engine before the death does.
    await t.order('room.close', { call: 'call-2', epoch: 1 })
    t.engine.emit({ type: 'workerDied', worker: 0 })
    openGate()
    expect(await entering).toMatchObject({ ok: false, error: { code: 'no-media-node' } })
    expect(t.hub.counts()).toEqual({
      rooms: 0,
      peers: 0,
      transports: 0,
      producers: 0,
      consumers: 0,
    })
    expect(t.engine.told.filter((line) => line.startsWith('closeTransport'))).toHaveLength(2)
  })

  test('find no place while no worker runs', async () => {
    const t = nodeAt(0)
    t.hub.close()
    t.engine.emit({ type: 'workerDied', worker: 0 })
    const t2 = nodeAt(0, { workers: 0 })
    expect(await t2.order('room.open', room)).toMatchObject({ error: { code: 'no-media-node' } })
    t2.hub.tick()
    expect(t2.serves()).toBe(false)
  })
})

describe('[NODE-9] an order that is given again, as its answer was missed', () => {
  test('does nothing twice', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    await t.order('peer.open', { ...room, peer: 'alice' })
    const connect = { ...room, peer: 'alice', transport: 'transport-1', dtlsParameters: {} }
    expect(await t.order('transport.connect', connect)).toEqual({ ok: true, data: {} })
    expect(await t.order('transport.connect', connect)).toEqual({ ok: true, data: {} })
    const first = await t.order('producer.open', camera('0'))
    expect(await t.order('producer.open', camera('0'))).toEqual(first)
    expect(await t.order('producer.open', camera('1'))).not.toEqual(first)
    expect(t.hub.counts().producers).toBe(1)
  })
})

describe('[NODE-10] a peer that holds its call', () => {
  test('is sent nothing and forwarded nothing until it takes the call up again', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    await t.order('peer.open', { ...room, peer: 'alice' })
    await t.order('producer.open', camera('0'))
    await t.order('peer.open', { ...room, peer: 'bob' })
    await t.order('peer.capabilities', { ...room, peer: 'bob', rtpCapabilities: {} })
    const taken = { ...room, peer: 'bob', producer: 'producer-3' }
    expect(await t.order('consumer.open', taken)).toMatchObject({ ok: true })
    const consumer = 'consumer-6'
    await t.order('consumer.resume', { ...room, peer: 'bob', consumer })
    t.engine.told.length = 0
    await t.order('peer.hold', { ...room, peer: 'bob', on: true })
    expect(t.engine.told).toEqual([`pauseConsumer ${consumer}`])
    await t.order('peer.hold', { ...room, peer: 'alice', on: true })
    expect(t.engine.told.slice(1)).toEqual(['pauseProducer producer-3'])
    t.engine.told.length = 0
    await t.order('producer.pause', {
      ...room,
      peer: 'alice',
      producer: 'producer-3',
      paused: false,
    })
    expect(t.engine.told).toEqual(['pauseProducer producer-3'])
    t.engine.told.length = 0
    await t.order('peer.hold', { ...room, peer: 'bob', on: false })
    expect(t.engine.told).toContain(`resumeConsumer ${consumer}`)
    await t.order('peer.hold', { ...room, peer: 'alice', on: false })
    expect(t.engine.told).toContain('resumeProducer producer-3')
  })
})

describe('a room without its controller', () => {
  test('is kept for the lease, and closed after it', async () => {
    const t = nodeAt(0)
    const leave = t.hub.attach('signaling-1', () => undefined)
    await t.order('room.open', room)
    leave()
    t.tick(1_000)
    t.tick(LEASE_MS + 999)
    expect(t.hub.counts().rooms).toBe(1)
    t.tick(LEASE_MS + 1_000)
    expect(t.hub.counts().rooms).toBe(0)
    expect(t.engine.told).toContain('closeRoom call-1/1')
  })

  test('is kept for good when it comes back in time', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    t.tick(1_000)
    t.hub.attach('signaling-1', () => undefined)
    t.tick(LEASE_MS)
    t.tick(10 * LEASE_MS)
    expect(t.hub.counts().rooms).toBe(1)
  })

  test('passes to the controller that orders next', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    t.hub.attach('signaling-2', () => undefined)
    await t.hub.order('signaling-2', 'room.open', room)
    t.tick(1_000)
    t.tick(10 * LEASE_MS)
    expect(t.hub.counts().rooms).toBe(1)
  })

  test('is adopted by a successor, who learns what is published in it', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    await t.order('peer.open', { ...room, peer: 'alice' })
    const opened = await t.order('producer.open', {
      ...room,
      peer: 'alice',
      transport: 'transport-1',
      source: 'camera',
      rtpParameters: {},
      paused: true,
    })
    const producer = opened.ok ? (opened.data as { producer: string }).producer : ''
    const heard: NodeEvent[] = []
    t.hub.attach('signaling-2', (event) => heard.push(event))
    expect(await t.hub.order('signaling-2', 'room.adopt', room)).toEqual({
      ok: true,
      data: { publications: [{ peer: 'alice', producer, source: 'camera', paused: true }] },
    })
    expect(await t.hub.order('signaling-2', 'room.adopt', { ...room, epoch: 2 })).toMatchObject({
      error: { code: 'media-order' },
    })
    await t.hub.order('signaling-2', 'peer.report', { ...room, peer: 'alice' })
    expect(heard).toContainEqual({
      type: 'demand',
      data: { ...room, peer: 'alice', producer, maxSpatialLayer: 2, reason: 'full' },
    })
    t.tick(1_000)
    t.tick(10 * LEASE_MS)
    expect(t.hub.counts().rooms).toBe(1)
  })

  test('[NODE-8] obeys no former owner once it has obeyed the heir', async () => {
    const t = nodeAt(0)
    await t.hub.order('signaling-1', 'room.open', { ...room, fence: 7 })
    await t.hub.order('signaling-2', 'room.adopt', { ...room, fence: 8 })
    for (const order of ['room.close', 'room.open', 'room.adopt']) {
      expect(await t.hub.order('signaling-1', order, { ...room, fence: 7 })).toMatchObject({
        error: { code: 'media-order', field: 'data.fence' },
      })
    }
    expect(t.hub.counts().rooms).toBe(1)
    expect(await t.hub.order('signaling-2', 'room.close', { ...room, fence: 8 })).toMatchObject({
      ok: true,
    })
    expect(t.hub.counts().rooms).toBe(0)
  })

  test('is told as lost when it comes back', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    t.engine.emit({ type: 'workerDied', worker: 0 })
    const heard: NodeEvent[] = []
    t.hub.attach('signaling-1', (event) => heard.push(event))
    expect(heard).toContainEqual({ type: 'room.lost', data: room })
    const again: NodeEvent[] = []
    t.hub.attach('signaling-1', (event) => again.push(event))
    expect(again.map(({ type }) => type)).not.toContain('room.lost')
  })

  test('shows the returning one what it asks of publishers', async () => {
    const t = nodeAt(0)
    await t.order('room.open', room)
    await t.order('peer.open', { ...room, peer: 'alice' })
    await t.order('producer.open', {
      ...room,
      peer: 'alice',
      transport: 'transport-1',
      source: 'camera',
      rtpParameters: {},
      paused: false,
    })
    t.tick(60_000)
    const heard: NodeEvent[] = []
    t.hub.attach('signaling-1', (event) => heard.push(event))
    expect(heard).toContainEqual({
      type: 'demand',
      data: {
        ...room,
        peer: 'alice',
        producer: 'producer-3',
        maxSpatialLayer: -1,
        reason: 'not-watched',
      },
    })
  })
})

function camera(mid: string) {
  return {
    ...{ ...room, peer: 'alice', transport: 'transport-1', source: 'camera', paused: false },
    rtpParameters: { mid },
  }
}

function nodeAt(start: number, { workers = 1 } = {}) {
  let now = start
  let serving: boolean | undefined
  const engine = new FakeEngine()
  const ordered: [string, string][] = []
  const hub = new Hub({
    engine,
    log: createLog('sfu', { level: 'silent' }),
    now: () => now,
    observer: {
      ordered: (type, outcome) => ordered.push([type, outcome]),
      workerDied: () => undefined,
      canServe: (serves) => (serving = serves),
    },
    workers,
  })
  for (let worker = 0; worker < workers; worker++) hub.workerStarted(worker)
  return {
    hub,
    engine,
    ordered,
    serves: () => serving,
    order: (type: string, data: object) => hub.order('signaling-1', type, data),
    tick: (at: number) => {
      now = at
      hub.tick()
    },
  }
}
