import type { NodeEvent, ParticipantId } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callId, consumerId, producerId, transportId } from '../testing.ts'
import type { Allotment } from './allocation.ts'
import { LOWER_AFTER_MS } from './demand.ts'
import { openingAllotment } from './room-layers.ts'
import { isDue, room } from './room-machine.ts'
import type { RoomEffect, RoomEvent } from './room-machine.ts'
import { standingEvents } from './room-report.ts'
import type { Room } from './room.ts'
import { noSpeakers } from './speakers.ts'

const [alice, bob, carol] = ['alice', 'bob', 'carol'] as [
  ParticipantId,
  ParticipantId,
  ParticipantId,
]
const camera = producerId('camera')

describe('a subscriber', () => {
  test('of a visible tile is resumed as soon as it is ready', () => {
    const t = watchedBy(bob)
    expect(t.do({ type: 'consumerResumed', peer: bob, consumer: consumerId('bob') })).toEqual([
      { type: 'resumeConsumer', consumer: 'bob' },
    ])
  })

  test('who hides a tile before being ready is not sent it', () => {
    const t = watchedBy(bob)
    t.view(bob, 0, 0, false)
    const effects = t.do({ type: 'consumerResumed', peer: bob, consumer: consumerId('bob') })
    expect(effects.map(({ type }) => type)).not.toContain('resumeConsumer')
    expect(t.view(bob, 1_280, 720, true)).toEqual(
      expect.arrayContaining([
        { type: 'setLayers', consumer: 'bob', spatialLayer: 2, temporalLayer: 2 },
        { type: 'resumeConsumer', consumer: 'bob' },
      ]),
    )
  })

  test('who shows a tile again gets the layers for it, even where they are those of before', () => {
    const t = watchedBy(bob, 'ready')
    t.view(bob, 100, 60, true)
    t.view(bob, 100, 60, false)
    expect(t.view(bob, 100, 60, true)).toContainEqual({
      type: 'setLayers',
      consumer: 'bob',
      spatialLayer: 0,
      temporalLayer: 1,
    })
  })

  test('hears the layer that comes, and why it is not more', () => {
    const t = watchedBy(bob, 'ready')
    expect(t.layer(bob, 1)).toEqual([{ spatialLayer: 1, reason: 'tile-size' }])
    expect(t.layer(bob, 1)).toEqual([])
    t.view(bob, 1_280, 720, true)
    expect(t.layer(bob, 2)).toEqual([{ spatialLayer: 2, reason: 'full' }])
  })

  test('hears of a want of bandwidth only when it lasts', () => {
    const t = watchedBy(bob, 'ready')
    expect(t.layer(bob, 0)).toEqual([])
    t.pass(2_999)
    expect(t.reports(t.do({ type: 'tick' }))).toEqual([])
    t.pass(1)
    expect(isDue(t.state(), t.now())).toBe(true)
    expect(t.reports(t.do({ type: 'tick' }))).toEqual([{ spatialLayer: 0, reason: 'bandwidth' }])
    expect(isDue(t.state(), t.now())).toBe(false)
    expect(t.layer(bob, null)).toEqual([{ spatialLayer: null, reason: 'bandwidth' }])
    expect(t.layer(bob, 1)).toEqual([{ spatialLayer: 1, reason: 'tile-size' }])
  })

  test('hears nothing of a camera that is merely muted', () => {
    const t = watchedBy(bob, 'ready')
    t.do({ type: 'producerPaused', peer: alice, producer: camera, paused: true })
    expect(t.layer(bob, null)).toEqual([])
    t.pass(10_000)
    expect(t.reports(t.do({ type: 'tick' }))).toEqual([])
  })
})

describe('a publisher', () => {
  test('is asked for the most that any subscriber takes', () => {
    const t = watchedBy(bob)
    t.open(carol)
    t.consume(carol)
    t.pass(LOWER_AFTER_MS)
    expect(t.demands(t.do({ type: 'tick' }))).toEqual([[1, 'tile-size']])
    expect(t.demands(t.view(carol, 1_280, 720, true))).toEqual([[2, 'full']])
    expect(t.demands(t.view(bob, 100, 60, true))).toEqual([])
    t.do({ type: 'peerClosed', peer: carol })
    t.pass(LOWER_AFTER_MS)
    expect(t.demands(t.do({ type: 'tick' }))).toEqual([[0, 'tile-size']])
  })

  test('is asked at once when the first subscriber comes', () => {
    const t = roomAt(0)
    t.open(alice)
    t.publish()
    t.pass(LOWER_AFTER_MS)
    expect(t.demands(t.do({ type: 'tick' }))).toEqual([[-1, 'not-watched']])
    t.open(bob)
    expect(t.demands(t.consume(bob))).toEqual([[1, 'tile-size']])
  })

  test('who speaks gets a larger share of everybody, and the room hears who', () => {
    const t = watchedBy(bob, 'ready')
    expect(t.do({ type: 'speech', event: { type: 'dominant', peer: alice } })).toEqual([
      { type: 'tell', event: { type: 'speaker', data: { ...t.at, peer: alice } } },
      { type: 'setPriority', consumer: 'bob', priority: 4 },
    ])
  })

  test('who leaves takes his transports, his streams and his turn to speak', () => {
    const t = watchedBy(bob, 'ready')
    t.do({ type: 'speech', event: { type: 'dominant', peer: alice } })
    expect(t.do({ type: 'peerClosed', peer: alice })).toEqual([
      { type: 'closeTransport', transport: 'alice-send' },
      { type: 'closeTransport', transport: 'alice-recv' },
      { type: 'tell', event: { type: 'speaker', data: { ...t.at, peer: null } } },
    ])
    expect(t.state().peers.get(bob)?.consumers.size).toBe(0)
  })
})

test('a stale event about somebody who has left changes nothing', () => {
  const t = watchedBy(bob, 'ready')
  t.do({ type: 'peerClosed', peer: bob })
  const before = t.state()
  t.do({ type: 'layersChanged', peer: bob, consumer: consumerId('bob'), spatialLayer: 1 })
  t.do({ type: 'producerClosed', peer: alice, producer: producerId('never') })
  expect(t.state()).toBe(before)
})

test('whatever happens, publishers are asked for what is taken, and effects name living things', () => {
  const peer = fc.constantFrom(alice, bob, carol)
  const act = fc.oneof(
    fc.record({ what: fc.constant('open' as const), peer }),
    fc.record({ what: fc.constant('close' as const), peer }),
    fc.record({ what: fc.constant('publish' as const), peer }),
    fc.record({ what: fc.constant('consume' as const), peer }),
    fc.record({ what: fc.constant('ready' as const), peer }),
    fc.record({
      what: fc.constant('view' as const),
      peer,
      height: fc.constantFrom(0, 90, 360, 720),
    }),
    fc.record({ what: fc.constant('layer' as const), peer, layer: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ what: fc.constant('pass' as const), ms: fc.nat(8_000) }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const t = roomAt(0)
      for (const one of acts) {
        if (one.what === 'open') t.open(one.peer)
        else if (one.what === 'close') t.do({ type: 'peerClosed', peer: one.peer })
        else if (one.what === 'publish' && one.peer === alice) t.publish()
        else if (one.what === 'consume') t.consume(one.peer)
        else if (one.what === 'ready') {
          t.do({ type: 'consumerResumed', peer: one.peer, consumer: consumerId(one.peer) })
        } else if (one.what === 'view') {
          t.view(one.peer, (one.height * 16) / 9, one.height, one.height > 0)
        } else if (one.what === 'layer') t.layer(one.peer, one.layer)
        else if (one.what === 'pass') {
          t.pass(one.ms)
          t.do({ type: 'tick' })
          expect(isDue(t.state(), t.now())).toBe(false)
        }
        const { wanted, asked } = t.balance()
        expect(asked).toBeGreaterThanOrEqual(wanted)
      }
      t.do({ type: 'tick' })
      t.pass(LOWER_AFTER_MS)
      t.do({ type: 'tick' })
      const { wanted, asked } = t.balance()
      expect(asked).toBe(wanted)
      expect(standingEvents(t.state()).length).toBeGreaterThan(0)
    }),
  )
})

/** A room in which `viewer` takes alice's camera. */
function watchedBy(viewer: ParticipantId, phase: 'opened' | 'ready' = 'opened') {
  const t = roomAt(0)
  t.open(alice)
  t.publish()
  t.open(viewer)
  t.consume(viewer)
  if (phase === 'ready') {
    t.do({ type: 'consumerResumed', peer: viewer, consumer: consumerId(viewer) })
  }
  return t
}

function roomAt(start: number) {
  const at = { call: callId('call-1'), epoch: 1 }
  let now = start
  let state: Room = {
    ...at,
    worker: 0,
    rtpCapabilities: {},
    peers: new Map(),
    speakers: noSpeakers,
  }
  const apply = (event: RoomEvent): readonly RoomEffect[] => {
    const step = room(state, event, now)
    state = step.state
    return step.effects
  }
  const told = (effects: readonly RoomEffect[]): readonly NodeEvent[] =>
    effects.flatMap((effect) => (effect.type === 'tell' ? [effect.event] : []))
  const reports = (effects: readonly RoomEffect[]) =>
    told(effects).flatMap((event) => {
      if (event.type !== 'layer') return []
      const { spatialLayer, reason } = event.data
      return [{ spatialLayer, reason }]
    })
  return {
    at,
    state: () => state,
    now: () => now,
    pass: (ms: number) => (now += ms),
    do: apply,
    reports,
    demands: (effects: readonly RoomEffect[]) =>
      told(effects).flatMap(({ type, data }) =>
        type === 'demand' ? [[data.maxSpatialLayer, data.reason]] : [],
      ),
    open: (peer: ParticipantId) =>
      apply({
        type: 'peerOpened',
        peer,
        send: transportId(`${peer}-send`),
        recv: transportId(`${peer}-recv`),
      }),
    publish: () =>
      apply({
        type: 'producerOpened',
        peer: alice,
        producer: camera,
        source: 'camera',
        paused: false,
        layers: 3,
      }),
    consume: (peer: ParticipantId) => {
      const publisher = state.peers.get(alice)
      const producer = publisher?.producers.get(camera)
      const subscriber = state.peers.get(peer)
      if (!subscriber || !publisher || !producer) return []
      const allotment: Allotment = {
        ...openingAllotment(state, subscriber, { publisher, producer }),
        consumer: consumerId(peer),
      }
      return apply({ type: 'consumerOpened', peer, producer: camera, publisher: alice, allotment })
    },
    view: (peer: ParticipantId, width: number, height: number, visible: boolean) =>
      apply({
        type: 'viewsChanged',
        peer,
        views: [{ consumer: consumerId(peer), width, height, visible }],
      }),
    layer: (peer: ParticipantId, spatialLayer: number | null) =>
      reports(apply({ type: 'layersChanged', peer, consumer: consumerId(peer), spatialLayer })),
    balance: () => {
      const asked = state.peers.get(alice)?.producers.get(camera)?.demand.layer
      const taken = [...state.peers.values()].flatMap((peer) => {
        const allotment = peer.consumers.get(camera)?.allotment
        return allotment === undefined || allotment.paused ? [] : [allotment.spatialLayer]
      })
      return { wanted: asked === undefined ? -1 : Math.max(-1, ...taken), asked: asked ?? -1 }
    },
  }
}
