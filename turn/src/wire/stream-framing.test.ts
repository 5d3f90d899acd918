import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeChannelData } from './channel-data.ts'
import { classes, encodeMessage, methods } from './message.ts'
import { StreamFramer } from './stream-framing.ts'

const request = encodeMessage({
  method: methods.binding,
  messageClass: classes.request,
  transactionId: new Uint8Array(12).fill(1),
  attributes: [{ type: 0x8022, value: Buffer.from('a client') }],
})

describe('StreamFramer', () => {
  test('cuts the same frames out of a stream however it is chunked', () => {
    const payload = fc.uint8Array({ maxLength: 300 })
    const frames = fc.array(fc.oneof(payload, fc.constant(undefined)), { maxLength: 12 })
    const cuts = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(frames, cuts, (payloads, sizes) => {
        const expected = payloads.map((bytes) =>
          bytes ? encodeChannelData(0x4000, bytes, { padded: false }) : request,
        )
        const stream = Buffer.concat(
          payloads.map((bytes) =>
            bytes ? encodeChannelData(0x4000, bytes, { padded: true }) : request,
          ),
        )
        const got = framesOf(new StreamFramer(), chunksOf(stream, sizes))
        expect(got).toEqual(expected.map((frame) => Buffer.from(frame)))
      }),
    )
  })

  test('a stream that drips byte by byte is read whole', () => {
    const payload = Buffer.alloc(65_535, 0x61)
    const stream = Buffer.from(encodeChannelData(0x4000, payload, { padded: true }))
    const [frame] = framesOf(new StreamFramer(), chunksOf(stream, [1]))
    expect(frame?.length).toBe(65_539)
  })

  test.each([
    ['TLS', '16030100'],
    ['an HTTP POST', '504f5354'],
    ['a reserved channel', '50000000'],
    ['high bits', 'ffffffff'],
    ['a length that is no multiple of four', '000100052112a442'],
    ['no cookie', '0001000000000000'],
  ])('%s is not TURN', (_name, hex) => {
    const framer = new StreamFramer()
    expect(framesOf(framer, [Buffer.from(hex, 'hex')])).toEqual([])
    expect(framer.error).toBe('notTurn')
  })

  test('a frame above the limit fails as soon as its header is in', () => {
    const framer = new StreamFramer(1_000)
    expect(framesOf(framer, [Buffer.from('4000ffff', 'hex')])).toEqual([])
    expect(framer.error).toBe('frameTooLarge')
    const stun = new StreamFramer(1_000)
    expect(framesOf(stun, [Buffer.from('0001fffc2112a442', 'hex')])).toEqual([])
    expect(stun.error).toBe('frameTooLarge')
  })

  test('frames before the fault still come out', () => {
    const framer = new StreamFramer()
    expect(framesOf(framer, [Buffer.concat([request, Buffer.from('garbage')])])).toHaveLength(1)
    expect(framer.error).toBe('notTurn')
  })

  test('knows whether it is inside a frame', () => {
    const framer = new StreamFramer()
    framesOf(framer, [Buffer.from(request.subarray(0, 9))])
    expect(framer.isInsideFrame).toBe(true)
    framesOf(framer, [Buffer.from(request.subarray(9))])
    expect(framer.isInsideFrame).toBe(false)
  })

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (chunks) => {
        framesOf(new StreamFramer(500), chunks)
      }),
      { numRuns: 2_000 },
    )
  })
})

function framesOf(framer: StreamFramer, chunks: readonly Uint8Array[]): Buffer[] {
  const frames: Buffer[] = []
  for (const chunk of chunks) {
    framer.push(chunk)
    for (let frame = framer.next(); frame; frame = framer.next()) frames.push(Buffer.from(frame))
  }
  return frames
}

function chunksOf(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    // A copy: sockets reuse nothing, and neither may the framer rely on neighbours.
    chunks.push(Buffer.from(stream.subarray(at, at + size)))
    at += size
  }
  return chunks
}
