import { expect, it } from 'vitest'
import { nodeEncodings, peerEncodings } from './encodings.ts'

it('gives a camera as many layers as its size is worth, the largest being the capture itself', () => {
  const scales = (width: number, height: number) =>
    nodeEncodings('camera', { width, height }).map((e) => e.scaleResolutionDownBy)
  expect(scales(1280, 720)).toEqual([4, 2, 1])
  expect(scales(720, 1280)).toEqual([4, 2, 1])
  expect(scales(640, 360)).toEqual([2, 1])
  expect(scales(320, 180)).toEqual([1])
})

it('names each layer, from the smallest to the largest rate', () => {
  const layers = nodeEncodings('camera', { width: 1280, height: 720 })
  expect(layers.map(({ rid }) => rid)).toEqual(['q', 'h', 'f'])
  const rates = layers.map(({ maxBitrate = 0 }) => maxBitrate)
  expect(rates).toEqual([...rates].sort((a, b) => a - b))
})

it('sends everything but cameras in one layer', () => {
  for (const source of ['microphone', 'screen', 'screen-audio'] as const) {
    expect(nodeEncodings(source, { width: 1920, height: 1080 })).toHaveLength(1)
    expect(peerEncodings(source)).toHaveLength(1)
  }
})
