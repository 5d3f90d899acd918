import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frameCodecOf, partsOf } from './clear-part.ts'
import type { FrameCodec } from './clear-part.ts'
import { joinFrame, metadataOf, splitFrame } from './frame-layout.ts'

describe('what stays readable', () => {
  it('is nothing of Opus and VP9', () => {
    for (const codec of ['opus', 'vp9'] as const) {
      expect(partsOf(codec, new Uint8Array([0, 1, 2]))?.clear).toHaveLength(0)
    }
  })

  it('is the header of a VP8 key frame, and one byte of others, by the P bit', () => {
    const key = new Uint8Array(40).fill(0xfe)
    const delta = new Uint8Array(40).fill(0xff)
    expect(partsOf('vp8', key)?.clear).toHaveLength(10)
    expect(partsOf('vp8', delta)?.clear).toHaveLength(1)
    expect(partsOf('vp8', key.subarray(0, 9))).toBeUndefined()
  })

  it('is all before the first slice of H.264, and of that through the picture parameter set', () => {
    const parts = partsOf('h264', h264Frame)
    // 00000001 67 …, 00000001 68 …, 00000001 65 and ue(0) ue(7) ue(0): 1 0001000 1 → 10001000 1…
    expect(hex(parts?.clear)).toBe('00000001670102000000016803000000016588ff')
    expect(hex(parts?.secret)).toBe('0102030000010405')
    expect(parts?.escaped).toBe(true)
  })

  it('is nothing of a frame that is not one', () => {
    expect(partsOf('opus', new Uint8Array())).toBeUndefined()
    expect(partsOf('h264', new Uint8Array([0, 0, 0, 1, 0x67, 1]))).toBeUndefined()
    expect(partsOf('h264', new Uint8Array([0, 0, 1, 0x65, 0, 0]))).toBeUndefined()
    expect(partsOf('h264', new Uint8Array([1, 2, 3, 4]))).toBeUndefined()
  })

  it('is undefined for AV1, which is not sent', () => {
    expect(frameCodecOf('video/AV1')).toBeUndefined()
    expect(frameCodecOf('video/VP8')).toBe('vp8')
  })
})

describe('H.264', () => {
  it('skips emulation prevention bytes inside the slice header', () => {
    // first_mb_in_slice of 22 zero bits before its one: 000000 becomes 00 00 03 on the wire.
    const slice = [0x41, 0, 0, 3, 0x02, 0, 0, 3, 0x01, 0x80, 0xc0, 0xff, 9, 9]
    const parts = partsOf('h264', new Uint8Array([0, 0, 0, 1, ...slice]))
    expect(parts && parts.clear.length).toBe(4 + 11)
  })

  it('seals the slices after the first with it, and brings short start codes into the long form', () => {
    const short = new Uint8Array([0, 0, 1, 9, 0xf0, 0, 0, 1, 0x65, 0xff, 7, 0, 0, 1, 0x65, 0xff, 8])
    const parts = partsOf('h264', short)
    expect(hex(parts?.clear)).toBe('0000000109f00000000165ff')
  })

  it('[FRAME-8] survives packets: no start code appears in what is sealed', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3, 255), { maxLength: 60 }), (noise) => {
        const clear = new Uint8Array([0, 0, 0, 1, 0x65, 0x80, 0, 0])
        const sframe = new Uint8Array(noise)
        const frame = joinFrame({ clear, escaped: true, sframe })
        expect(units(frame)).toEqual([[...frame.subarray(4)]])
        expect(frame.at(-1)).not.toBe(0)
        expect([...(splitFrame(frame)?.sframe ?? [])]).toEqual(noise)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the layout', () => {
  const codecs = fc.constantFrom<FrameCodec[]>('opus', 'vp8', 'vp9', 'h264')

  it('gives back what was put in', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), fc.boolean(), (clear, sframe, escaped) => {
        const frame = joinFrame({ clear, sframe, escaped })
        const split = splitFrame(frame)
        expect(hex(split?.clear)).toBe(hex(clear))
        expect(hex(split?.sframe)).toBe(hex(sframe))
        expect(split?.escaped).toBe(escaped)
      }),
    )
  })

  it('takes any bytes without failing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), codecs, (bytes, codec) => {
        const split = splitFrame(bytes)
        if (split) expect(split.clear.length + split.sframe.length).toBeLessThan(bytes.length)
        const parts = partsOf(codec, bytes)
        if (parts) expect(parts.clear.length).toBeLessThan(0x8000)
      }),
      { numRuns: 2_000 },
    )
  })

  it('authenticates source, length, flag and clear bytes: each changes the metadata', () => {
    const clear = new Uint8Array([1, 2])
    const seen = [
      metadataOf('camera', { clear, escaped: false }),
      metadataOf('screen', { clear, escaped: false }),
      metadataOf('camera', { clear, escaped: true }),
      metadataOf('camera', { clear: new Uint8Array([1, 3]), escaped: false }),
      metadataOf('camera', { clear: new Uint8Array([1]), escaped: false }),
    ].map(hex)
    expect(new Set(seen).size).toBe(seen.length)
  })
})

/** A stream access unit as an encoder gives it: SPS, PPS and an IDR slice. */
const h264Frame = new Uint8Array([
  ...[0, 0, 0, 1, 0x67, 1, 2],
  ...[0, 0, 1, 0x68, 3],
  ...[0, 0, 0, 1, 0x65, 0x88, 0xff, 1, 2, 3, 0, 0, 1, 4, 5],
])

/** What a packetizer takes for NAL units. */
function units(stream: Uint8Array): number[][] {
  const found: number[][] = []
  let current: number[] | undefined
  for (let i = 0; i < stream.length; i++) {
    const isStart = stream[i] === 0 && stream[i + 1] === 0 && stream[i + 2] === 1
    if (isStart) {
      if (current?.at(-1) === 0) current.pop()
      current = []
      found.push(current)
      i += 2
    } else current?.push(stream[i] ?? 0)
  }
  return found
}

function hex(data: Uint8Array | undefined): string {
  return [...(data ?? [])].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
