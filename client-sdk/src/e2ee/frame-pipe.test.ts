import { expect, test } from 'vitest'
import { FramePipe } from './frame-pipe.ts'
import type { EncodedFrame } from './frame-pipe.ts'

test('a frame at which the cipher fails is dropped, and those behind it go on', async () => {
  const written: number[] = []
  const done = Promise.withResolvers<undefined>()
  const frames = [0, 1, 2].map((byte) => ({
    data: new Uint8Array([byte]).buffer,
    getMetadata: () => ({}),
  }))
  const readable = new ReadableStream<EncodedFrame>({
    start: (controller) => {
      for (const frame of frames) controller.enqueue(frame)
    },
  })
  const writable = new WritableStream<EncodedFrame>({
    write: ({ data }) => {
      const [byte = -1] = new Uint8Array(data)
      if (written.push(byte) === 2) done.resolve(undefined)
    },
  })
  const cipher = ({ data }: EncodedFrame) => {
    const bytes = new Uint8Array(data)
    if (bytes[0] === 1) throw new Error('out of memory')
    return Promise.resolve(bytes)
  }
  const pipe = new FramePipe(7, cipher, () => undefined)
  void pipe.run({ readable, writable })
  await done.promise
  expect(written).toEqual([0, 2])
  expect(pipe.count).toEqual({ stream: 7, seen: 3, passed: 2, dropped: { failed: 1 } })
})
