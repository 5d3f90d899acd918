import { expect, test } from 'vitest'
import type { RtpPacket } from './rtp.ts'
import { readVp8FrameInfo, Vp8Assembler } from './vp8-assembler.ts'
import { packetizeVp8 } from './vp8-packetizer.ts'

const frame = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff)

test('a frame is whole with its last packet, across the wrap of the sequence', () => {
  const results = assemble(packetsOf(frame, { sequence: 65_534, timestamp: 1 }))
  expect(results.map(({ type }) => type)).toEqual(['nothing', 'nothing', 'frame'])
  const last = results.at(-1)
  expect(last?.type === 'frame' && Buffer.from(frame).equals(last.frame)).toBe(true)
})

test('a frame without one of its packets is broken, and the next one is whole', () => {
  const [first, , third] = packetsOf(frame, { sequence: 0, timestamp: 1 })
  const next = packetsOf(frame, { sequence: 3, timestamp: 2 })
  expect(types([first, third, ...next])).toEqual([
    'nothing',
    'broken',
    'nothing',
    'nothing',
    'frame',
  ])
})

test('a frame without its end is broken when the next one starts', () => {
  const [first] = packetsOf(frame, { sequence: 0, timestamp: 1 })
  const next = packetsOf(frame, { sequence: 3, timestamp: 2 })
  expect(types([first, ...next])).toEqual(['nothing', 'broken', 'nothing', 'frame'])
})

test('pieces of a frame whose start was never seen are nothing', () => {
  const [, second, third] = packetsOf(frame, { sequence: 0, timestamp: 1 })
  expect(types([second, third])).toEqual(['nothing', 'nothing'])
})

test('a frame tells whether it is a key frame, and then its size', () => {
  const key = Uint8Array.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00])
  expect(readVp8FrameInfo(key)).toEqual({ keyFrame: true, size: { width: 320, height: 180 } })
  expect(readVp8FrameInfo(Uint8Array.of(0x11, 0, 0))).toEqual({ keyFrame: false, size: undefined })
  expect(readVp8FrameInfo(key.subarray(0, 9))).toBeUndefined()
  expect(readVp8FrameInfo(new Uint8Array())).toBeUndefined()
})

function assemble(packets: readonly (RtpPacket | undefined)[]) {
  const assembler = new Vp8Assembler()
  return packets.filter((packet) => packet !== undefined).map((packet) => assembler.add(packet))
}

function types(packets: readonly (RtpPacket | undefined)[]) {
  return assemble(packets).map(({ type }) => type)
}

/** Three packets. */
function packetsOf(bytes: Uint8Array, at: { sequence: number; timestamp: number }): RtpPacket[] {
  const payloads = packetizeVp8(bytes, 1, 104)
  return payloads.map((payload, index) => ({
    payloadType: 96,
    marker: index === payloads.length - 1,
    sequence: (at.sequence + index) & 0xffff,
    timestamp: at.timestamp,
    ssrc: 1,
    payload,
  }))
}
