import type { ParticipantId, TrackSource } from '@parley/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { decodeSframeHeader } from '../core/frames/sframe-header.ts'
import { splitFrame } from '../core/frames/frame-layout.ts'
import { openFrame, sealFrame } from './frame-sealing.ts'
import type { FrameResult } from './frame-sealing.ts'
import { HeldKeys, LAST_COUNTER, SealingKey } from './held-keys.ts'
import type { FrameCodec } from '../core/frames/clear-part.ts'

const ALICE = 'alice' as ParticipantId
const BOB = 'bob' as ParticipantId
const camera = { source: 'camera', codec: 'vp8' } as const
const alicesCamera = { participant: ALICE, source: 'camera' } as const

let sender: HeldKeys
let receiver: HeldKeys

beforeEach(async () => {
  sender = await member()
  receiver = await member()
})

describe('a sealed frame', () => {
  it('is opened by who holds the keys of its epoch', async () => {
    const frame = keyFrame()
    const sealed = bytesOf(await sealFrame(sender, camera, frame))
    expect(sealed.subarray(0, 10)).toEqual(frame.subarray(0, 10))
    expect(bytesOf(await openFrame(receiver, alicesCamera, sealed))).toEqual(frame)
  })

  it('comes back whatever the codec and the bytes', async () => {
    const codecs = fc.constantFrom<FrameCodec[]>('opus', 'vp8', 'vp9')
    await fc.assert(
      fc.asyncProperty(codecs, fc.uint8Array({ minLength: 10 }), async (codec, frame) => {
        const sealed = bytesOf(await sealFrame(sender, { source: 'camera', codec }, frame))
        expect(bytesOf(await openFrame(receiver, alicesCamera, sealed))).toEqual(frame)
      }),
    )
  })

  it('comes back from H.264 with its start codes, and holds no others meanwhile', async () => {
    const start = [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 0x88, 0xff]
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (rest) => {
        const frame = new Uint8Array([...start, ...rest])
        const spec = { source: 'camera', codec: 'h264' } as const
        const sealed = bytesOf(await sealFrame(sender, spec, frame))
        expect(startCodes(sealed)).toBe(3)
        expect(bytesOf(await openFrame(receiver, alicesCamera, sealed))).toEqual(frame)
      }),
    )
  })

  it.each(['vp8', 'vp9', 'h264', 'opus'] as const)(
    'is refused with any one of its bits flipped (%s)',
    async (codec) => {
      const frame = codec === 'h264' ? h264Frame() : keyFrame()
      const sealed = bytesOf(await sealFrame(sender, { source: 'camera', codec }, frame))
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const forged = sealed.slice()
        forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(typeof (await openFrame(receiver, alicesCamera, forged))).toBe('string')
      }
      expect(bytesOf(await openFrame(receiver, alicesCamera, sealed))).toEqual(frame)
    },
  )

  it('is refused cut short, or with something added', async () => {
    const sealed = bytesOf(await sealFrame(sender, camera, keyFrame()))
    for (let length = 0; length < sealed.length; length++) {
      const cut = sealed.subarray(0, length)
      expect(typeof (await openFrame(receiver, alicesCamera, cut))).toBe('string')
    }
    const longer = new Uint8Array([...sealed, 0xe1])
    expect(typeof (await openFrame(receiver, alicesCamera, longer))).toBe('string')
  })

  it('[FRAME-12] is never taken for granted: a frame as an encoder gives it is refused', async () => {
    expect(await openFrame(receiver, alicesCamera, keyFrame())).toBe('not-sealed')
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
        expect(typeof (await openFrame(receiver, alicesCamera, bytes))).toBe('string')
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('who and what', () => {
  it('[FRAME-9] another participant, another source, another key: each is refused', async () => {
    const sealed = bytesOf(await sealFrame(sender, camera, keyFrame()))
    const open = (keys: HeldKeys, participant: ParticipantId, source: TrackSource) =>
      openFrame(keys, { participant, source }, sealed)
    expect(await open(receiver, BOB, 'camera')).toBe('wrong-sender')
    expect(await open(receiver, 'nobody' as ParticipantId, 'camera')).toBe('wrong-sender')
    expect(await open(receiver, ALICE, 'screen')).toBe('wrong-sender')
    expect(await open(await member({ secret: 9 }), ALICE, 'camera')).toBe('forged')
    expect(await open(await member({ epoch: 2 }), ALICE, 'camera')).toBe('unknown-epoch')
    expect(await open(receiver, ALICE, 'camera')).not.toBeTypeOf('string')
  })

  it('none of 10,000 frames under other keys and key ids opens', async () => {
    let opened = 0
    const open = async (sealed: Uint8Array) => {
      const result = await openFrame(receiver, alicesCamera, sealed)
      if (typeof result !== 'string') opened++
    }
    const strangers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => member({ secret: i + 2 })),
    )
    for (let i = 0; i < 250; i++) {
      for (const stranger of strangers)
        await open(bytesOf(await sealFrame(stranger, camera, keyFrame(i))))
    }
    const sealed = bytesOf(await sealFrame(sender, camera, keyFrame()))
    // KID 0x10001 in three bytes, after ten clear ones and the header's first.
    expect([...sealed.subarray(11, 14)]).toEqual([1, 0, 1])
    for (let kid = 0; kid < 7_700; kid++) {
      const forged = sealed.slice()
      // Epoch and leaf are the low bytes: those that the receiver has keys of come, too.
      forged.set([kid % 5, kid >> 12, kid % 7], 11)
      if (kid % 5 !== 1 || kid >> 12 !== 0 || kid % 7 !== 1) await open(forged)
    }
    expect(opened).toBe(0)
    await open(sealed)
    expect(opened).toBe(1)
  })

  it('nothing is sealed without a key, or that is no frame', async () => {
    expect(await sealFrame(new HeldKeys(never), camera, keyFrame())).toBe('no-key')
    expect(await sealFrame(sender, camera, new Uint8Array([0, 1]))).toBe('not-a-frame')
  })

  it('what an epoch sealed does not open once it is forgotten', async () => {
    const sealed = bytesOf(await sealFrame(sender, camera, keyFrame()))
    receiver.forget(0)
    sender.forget(0)
    expect(await openFrame(receiver, alicesCamera, sealed)).toBe('unknown-epoch')
    expect(await sealFrame(sender, camera, keyFrame())).toBe('no-key')
  })

  it('the secret handed over is zeroed', async () => {
    const baseKey = new Uint8Array(16).fill(7)
    await new HeldKeys(never).install({ ...secretOf({}), baseKey })
    expect(baseKey).toEqual(new Uint8Array(16))
  })
})

describe('replay', () => {
  it('[FRAME-11] a frame is opened once, in whatever order, if it is not 1024 behind', async () => {
    const frames: Uint8Array[] = []
    for (let i = 0; i < 1_030; i++) {
      frames.push(bytesOf(await sealFrame(sender, camera, keyFrame(i))))
    }
    const open = (i: number) => openFrame(receiver, alicesCamera, frames[i] ?? new Uint8Array())
    expect(await open(3)).not.toBeTypeOf('string')
    expect(await open(3)).toBe('replayed')
    expect(await open(1_029)).not.toBeTypeOf('string')
    expect(await open(5)).toBe('replayed')
    expect(await open(6)).not.toBeTypeOf('string')
    expect(await open(6)).toBe('replayed')
  })

  it('two copies at once give one frame', async () => {
    const sealed = bytesOf(await sealFrame(sender, camera, keyFrame()))
    const both = await Promise.all([0, 1].map(() => openFrame(receiver, alicesCamera, sealed)))
    expect(both.filter((result) => typeof result === 'string')).toEqual(['replayed'])
  })

  it('a forged counter shuts nobody out', async () => {
    const [first, second] = [0, 1].map(() => sealFrame(sender, camera, keyFrame()))
    const sealed = bytesOf((await first) ?? 'no-key')
    const forged = new Uint8Array(sealed)
    // KID 0x10001 in three bytes, counter 0 inline: make it 7.
    forged[10] = (forged[10] ?? 0) | 7
    expect(await openFrame(receiver, alicesCamera, forged)).toBe('forged')
    for (const frame of [sealed, bytesOf((await second) ?? 'no-key')]) {
      expect(await openFrame(receiver, alicesCamera, frame)).not.toBeTypeOf('string')
    }
  })
})

describe('counters', () => {
  it('[FRAME-4] never repeat over layers, sources, senders and restarts of the worker', async () => {
    const seen = new Set<string>()
    let sealed = 0
    for (let incarnation = 0; incarnation < 3; incarnation++) {
      const worker = await member({ incarnation })
      // Three layers of a camera, and the same camera on a second path, all at once.
      const work = Array.from({ length: 200 }, (_, i) => {
        const source = (['camera', 'camera', 'camera', 'microphone', 'screen'] as const)[i % 5]
        return sealFrame(worker, { source: source ?? 'camera', codec: 'vp9' }, keyFrame(i))
      })
      for (const result of await Promise.all(work)) {
        const header = decodeSframeHeader(splitFrame(bytesOf(result))?.sframe ?? new Uint8Array())
        seen.add(`${header?.kid}/${header?.ctr}`)
        sealed++
      }
    }
    expect(seen.size).toBe(sealed)
  })

  it('end: the last is given out once, a new epoch was asked for, and then there are none', () => {
    let asked = 0
    const key = new SealingKey(
      0n,
      Promise.reject(new Error('not used')),
      () => asked++,
      LAST_COUNTER,
    )
    key.key.catch(() => undefined)
    expect(key.takeCounter()).toBe(LAST_COUNTER)
    expect(asked).toBe(1)
    expect(key.takeCounter()).toBeUndefined()
    expect(key.takeCounter()).toBeUndefined()
  })
})

interface Given {
  epoch?: number
  secret?: number
  incarnation?: number
}

function secretOf({ epoch = 1, secret = 1, incarnation = 0 }: Given) {
  return {
    slot: 0,
    epochByte: epoch,
    baseKey: new Uint8Array(16).fill(secret),
    ownLeaf: 0,
    leaves: new Map([
      [ALICE, 0],
      [BOB, 1],
    ]),
    incarnation,
  }
}

/** Alice's worker, or one that receives hers. */
async function member(given: Given = {}): Promise<HeldKeys> {
  const keys = new HeldKeys(never)
  await keys.install(secretOf(given))
  keys.sendWith(0)
  return keys
}

function never(): void {
  throw new Error('nothing is used up')
}

function keyFrame(seed = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 60 }, (_, i) => (i === 0 ? 0x10 : (i * 31 + seed) & 0xff))
}

function h264Frame(): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65, 0x88, 0xff, ...keyFrame()])
}

function bytesOf(result: FrameResult): Uint8Array<ArrayBuffer> {
  if (typeof result === 'string') throw new Error(`dropped: ${result}`)
  return result
}

function startCodes(bytes: Uint8Array): number {
  return [...bytes].filter((byte, i) => byte === 1 && bytes[i - 1] === 0 && bytes[i - 2] === 0)
    .length
}
