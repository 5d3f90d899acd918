import { errorCodes, nodeRequests } from '@parley/protocol'
import type { NodeRequestType } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseFrame, parseOrder } from './order.ts'

const ofPeer = { call: 'call-1', epoch: 1, peer: 'peer-1' }

/** One good order of each type. */
const good: Readonly<Record<NodeRequestType, object>> = {
  'room.open': { call: 'call-1', epoch: 1 },
  'room.adopt': { call: 'call-1', epoch: 1 },
  'room.close': { call: 'call-1', epoch: 1 },
  'peer.open': ofPeer,
  'peer.capabilities': { ...ofPeer, rtpCapabilities: { codecs: [] } },
  'peer.close': ofPeer,
  'peer.report': ofPeer,
  'peer.view': { ...ofPeer, views: [{ consumer: 'c', width: 1, height: 1, visible: true }] },
  'transport.connect': { ...ofPeer, transport: 't', dtlsParameters: { fingerprints: [] } },
  'peer.hold': { ...ofPeer, on: true },
  'transport.restart-ice': { ...ofPeer, transport: 't' },
  'producer.open': {
    ...ofPeer,
    transport: 't',
    source: 'camera',
    rtpParameters: {},
    paused: false,
  },
  'producer.pause': { ...ofPeer, producer: 'p', paused: true },
  'producer.close': { ...ofPeer, producer: 'p' },
  'consumer.open': { ...ofPeer, producer: 'p' },
  'consumer.resume': { ...ofPeer, consumer: 'c' },
}

describe('parseOrder', () => {
  test('a good order of each type passes', () => {
    for (const [type, data] of Object.entries(good)) {
      expect(parseOrder(type, data)).toEqual({ ok: true, data: { type, data } })
    }
    expect(Object.keys(good).sort()).toEqual(Object.keys(nodeRequests).sort())
  })

  test('names from the prototype are no orders', () => {
    for (const type of ['toString', '__proto__', 'constructor', '']) {
      expect(parseOrder(type, {})).toMatchObject({ error: { code: 'unknown-request' } })
    }
  })

  test('an order with one value replaced passes or names the field at fault', () => {
    const nearValid = fc.constantFrom(...Object.entries(good)).chain(([type, data]) =>
      fc.record({
        type: fc.constant(type),
        key: fc.constantFrom(...Object.keys(data)),
        value: fc.anything(),
        data: fc.constant(data),
      }),
    )
    fc.assert(
      fc.property(nearValid, ({ type, key, value, data }) => {
        const parsed = parseOrder(type, { ...data, [key]: value })
        if (parsed.ok) return
        expect(parsed.error.code).toBe('bad-request')
        expect(parsed.error.field?.split('.').slice(0, 2)).toEqual(['data', key])
      }),
      { numRuns: 1_000 },
    )
  })

  test('nothing that can be sent makes it throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.anything(), fc.anything(), (type, data, frame) => {
        for (const parsed of [parseOrder(type, data), parseFrame(frame)]) {
          if (!parsed.ok) expect(errorCodes).toHaveProperty(parsed.error.code)
        }
      }),
    )
  })
})

describe('parseFrame', () => {
  test('a frame needs an id and a type of sensible length', () => {
    expect(parseFrame({ id: 'a', type: 'b', data: 1, more: 2 })).toEqual({
      ok: true,
      data: { id: 'a', type: 'b', data: 1 },
    })
    expect(parseFrame({ id: '', type: 'b' })).toMatchObject({ error: { field: 'id' } })
    expect(parseFrame({ id: 'a', type: 'b'.repeat(65) })).toMatchObject({
      error: { field: 'type' },
    })
    expect(parseFrame(null)).toMatchObject({ error: { code: 'bad-request' } })
  })
})
