import type { ConsumerId, TrackSource } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allocate } from './allocation.ts'
import type { Stream, Tile } from './allocation.ts'

describe('allocate', () => {
  test('a tile gets the smallest layer that fills it', () => {
    const layerAt = (width: number, height: number) =>
      one(camera({ tile: { width, height, visible: true } })).spatialLayer
    expect(layerAt(160, 90)).toBe(0)
    expect(layerAt(320, 180)).toBe(0)
    expect(layerAt(400, 225)).toBe(0)
    expect(layerAt(640, 360)).toBe(1)
    expect(layerAt(800, 450)).toBe(1)
    expect(layerAt(1_280, 720)).toBe(2)
  })

  test('a tall tile is filled by its height, a wide one by its width', () => {
    expect(one(camera({ tile: { width: 300, height: 720, visible: true } })).spatialLayer).toBe(2)
    expect(one(camera({ tile: { width: 1_280, height: 100, visible: true } })).spatialLayer).toBe(2)
  })

  test('a tile that nobody has described yet is taken for a small grid', () => {
    expect(one(camera({ tile: undefined }))).toMatchObject({
      paused: false,
      spatialLayer: 1,
      reason: 'tile-size',
    })
    expect(one({ ...camera({}), source: 'screen' })).toMatchObject({ reason: 'full' })
  })

  test('a hidden stream is paused, sound too', () => {
    const tile = { width: 640, height: 360, visible: false }
    expect(one(camera({ tile }))).toMatchObject({ paused: true, reason: 'not-watched' })
    expect(one({ ...camera({ tile }), source: 'microphone' })).toMatchObject({ paused: true })
  })

  test('a thumbnail gets half the frame rate, even from a camera of one layer', () => {
    const tile = { width: 160, height: 90, visible: true }
    expect(one(camera({ tile, layers: 1 }))).toMatchObject({
      temporalLayer: 1,
      reason: 'tile-size',
    })
  })

  test('a screen comes before a speaker, and a speaker before the others', () => {
    const screen = one({ ...camera({}), source: 'screen' }).priority
    const speaker = one(camera({ speaking: true })).priority
    const tile = one(camera({})).priority
    expect([screen, speaker, tile]).toEqual([255, 4, 1])
  })

  test('every stream gets one allotment, within its layers, paused exactly when hidden', () => {
    fc.assert(
      fc.property(fc.array(anyStream, { maxLength: 20 }), (streams) => {
        const allotments = allocate(streams)
        expect(allotments.map(({ consumer }) => consumer)).toEqual(
          streams.map(({ consumer }) => consumer),
        )
        for (const [index, { paused, spatialLayer, priority, reason }] of allotments.entries()) {
          const stream = streams[index]
          expect(paused).toBe(stream?.tile?.visible === false)
          expect(paused).toBe(reason === 'not-watched')
          expect(spatialLayer).toBeGreaterThanOrEqual(0)
          expect(spatialLayer).toBeLessThan(stream?.layers ?? 0)
          expect(priority).toBeGreaterThanOrEqual(1)
          expect(priority).toBeLessThanOrEqual(255)
        }
      }),
    )
  })

  test('a larger tile never gets a lower layer', () => {
    fc.assert(
      fc.property(anyStream, anyTile, fc.nat(500), fc.nat(500), (stream, tile, wider, taller) => {
        const larger = { ...tile, width: tile.width + wider, height: tile.height + taller }
        const small = one({ ...stream, tile: { ...tile, visible: true } })
        const large = one({ ...stream, tile: { ...larger, visible: true } })
        expect(large.spatialLayer).toBeGreaterThanOrEqual(small.spatialLayer)
        expect(large.temporalLayer).toBeGreaterThanOrEqual(small.temporalLayer)
      }),
    )
  })

  test('what one stream gets does not depend on the order of the others', () => {
    fc.assert(
      fc.property(fc.array(anyStream, { maxLength: 10 }), (streams) => {
        expect(allocate([...streams].reverse())).toEqual([...allocate(streams)].reverse())
      }),
    )
  })
})

const anyTile: fc.Arbitrary<Tile> = fc.record({
  width: fc.nat(4_000),
  height: fc.nat(4_000),
  visible: fc.boolean(),
})

const anyStream: fc.Arbitrary<Stream> = fc.record({
  consumer: fc.uuid().map((id) => id as ConsumerId),
  source: fc.constantFrom<TrackSource>('microphone', 'camera', 'screen', 'screen-audio'),
  layers: fc.integer({ min: 1, max: 3 }),
  speaking: fc.boolean(),
  tile: fc.option(anyTile, { nil: undefined }),
})

function camera(given: Partial<Stream>): Stream {
  return {
    consumer: 'c' as ConsumerId,
    source: 'camera',
    layers: 3,
    speaking: false,
    tile: undefined,
    ...given,
  }
}

function one(stream: Stream) {
  const [allotment] = allocate([stream])
  if (allotment === undefined) throw new Error('no allotment')
  return allotment
}
