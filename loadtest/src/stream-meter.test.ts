import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RtpPacket } from './rtp.ts'
import { StreamMeter } from './stream-meter.ts'

const FRAME_MS = 20
const FRAME_TICKS = 960

test('a steady stream has no loss, no jitter, and the bitrate of its payload', () => {
  const figures = measure(range(0, 51))
  expect(figures).toMatchObject({ packets: 51, lost: 0, outOfOrder: 0, duplicates: 0, jitterMs: 0 })
  expect(figures.bitsPerSecond).toBeCloseTo((51 * 100 * 8) / 1, 5)
  expect(figures.longestGapMs).toBe(FRAME_MS)
})

test('gaps are losses, also across the wrap', () => {
  expect(measure([65_533, 65_534, 1, 2]).lost).toBe(2)
})

test('a late packet is no loss', () => {
  expect(measure([1, 3, 2, 4])).toMatchObject({ lost: 0, outOfOrder: 1 })
})

test('a late packet from before the wrap, right at the start, is no loss', () => {
  expect(measure([0, 65_535, 1])).toMatchObject({ lost: 0, outOfOrder: 1, duplicates: 0 })
})

test('a repeated packet is counted once', () => {
  expect(measure([1, 2, 2, 3, 1])).toMatchObject({ packets: 5, lost: 0, duplicates: 2 })
})

test('silence at the end is a gap', () => {
  const meter = new StreamMeter(48_000)
  meter.add(packet(1), 0)
  expect(meter.figures(5_000).longestGapMs).toBe(5_000)
})

test('jitter follows RFC 3550: one packet 16 ms late moves it by 1 ms', () => {
  const meter = new StreamMeter(48_000)
  meter.add(packet(0), 0)
  meter.add(packet(1), FRAME_MS + 16)
  expect(meter.figures(0).jitterMs).toBeCloseTo(1, 9)
})

test('jitter does not notice the wrap of the timestamp', () => {
  const meter = new StreamMeter(48_000)
  meter.add({ ...packet(0), timestamp: 2 ** 32 - 480 }, 0)
  meter.add({ ...packet(1), timestamp: 480 }, FRAME_MS)
  expect(meter.figures(0).jitterMs).toBeCloseTo(0, 9)
})

test('nothing received is nothing measured', () => {
  const zero = { packets: 0, lost: 0, bitsPerSecond: 0, jitterMs: 0, longestGapMs: 0 }
  expect(new StreamMeter(48_000).figures(1_000)).toMatchObject(zero)
})

test('whatever is dropped between the first and the last packet is what is lost', () => {
  const numbers = range(60_000, 500)
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 498 })), (dropped) => {
      const arriving = numbers.filter((_, index) => !dropped.includes(index))
      expect(measure(arriving.map((number) => number & 0xffff)).lost).toBe(dropped.length)
    }),
  )
})

function measure(sequences: readonly number[]) {
  const meter = new StreamMeter(48_000)
  for (const [index, sequence] of sequences.entries()) {
    meter.add({ ...packet(sequence), timestamp: index * FRAME_TICKS }, index * FRAME_MS)
  }
  return meter.figures((sequences.length - 1) * FRAME_MS)
}

function packet(sequence: number): RtpPacket {
  return {
    payloadType: 111,
    marker: false,
    sequence,
    timestamp: sequence * FRAME_TICKS,
    ssrc: 1,
    payload: new Uint8Array(100),
  }
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index)
}
