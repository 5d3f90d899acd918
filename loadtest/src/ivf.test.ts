import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIvf } from './ivf.ts'
import { readVp8FrameInfo } from './vp8-assembler.ts'

const film = readFileSync(join(import.meta.dirname, '..', 'testdata', 'camera-low.ivf'))

test.each([
  ['camera-low.ivf', 160, 90],
  ['camera-medium.ivf', 320, 180],
  ['camera-high.ivf', 640, 360],
])('%s is a loop that begins with its only key frame', (name, width, height) => {
  const parsed = parseIvf(readFileSync(join(import.meta.dirname, '..', 'testdata', name)))
  if (!parsed.ok) throw new Error(parsed.error.reason)
  const { frames, ...header } = parsed.value
  expect(header).toEqual({ codec: 'VP80', width, height, framesPerSecond: 15 })
  expect(frames).toHaveLength(30)
  const infos = frames.map((frame) => readVp8FrameInfo(frame))
  expect(infos[0]).toEqual({ keyFrame: true, size: { width, height } })
  expect(infos.filter((info) => info?.keyFrame)).toHaveLength(1)
})

test('a file that is cut says where', () => {
  expect(parseIvf(film.subarray(0, 20))).toMatchObject({ error: { reason: 'truncated' } })
  expect(parseIvf(film.subarray(0, 40))).toMatchObject({
    error: { reason: 'truncated', offset: 32 },
  })
  expect(parseIvf(film.subarray(0, 32))).toMatchObject({ error: { reason: 'truncated' } })
})

test('a file of another kind is refused', () => {
  expect(parseIvf(Buffer.alloc(64))).toMatchObject({ error: { reason: 'bad-value', offset: 0 } })
})

test('no damage makes it throw', () => {
  const damage = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 })))
  fc.assert(
    fc.property(damage, fc.nat(film.length), (changes, length) => {
      const bytes = Buffer.from(film.subarray(0, length))
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
      parseIvf(bytes)
    }),
  )
})
