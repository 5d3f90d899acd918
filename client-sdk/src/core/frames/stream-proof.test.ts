import { describe, expect, it } from 'vitest'
import { frameCount } from './frame-count.ts'
import { LOOK_EVERY_MS, newStreamProof, streamProof } from './stream-proof.ts'
import type { FrameCounts, StreamProof } from './stream-proof.ts'

describe('a stream', () => {
  it('is proven by its first frame in the worker', () => {
    expect(newStreamProof(0).state).toBe('waiting')
    expect(attached().state).toBe('attached')
    expect(flowing().state).toBe('proven')
  })

  it('stays so while the worker sees what the browser counts', () => {
    const counts = [20, 40, 60, 60, 60, 80].map((n) => ({ browser: n, worker: n + 1 }))
    expect(look(flowing(), counts).state).toBe('proven')
  })

  it('[FRAME-17] is bypassed within a second when frames pass and the worker sees none', () => {
    const counts = [
      { browser: 20, worker: 20 },
      { browser: 30, worker: 20 },
      { browser: 40, worker: 20 },
    ]
    expect(look(flowing(), counts.slice(0, 2)).state).toBe('proven')
    expect(look(flowing(), counts).state).toBe('bypassed')
    expect(2 * LOOK_EVERY_MS).toBeLessThan(1_000)
  })

  it('is not suspected for one look in which its worker was starved', () => {
    const counts = [
      { browser: 20, worker: 20 },
      { browser: 40, worker: 20 },
      { browser: 60, worker: 60 },
      { browser: 80, worker: 60 },
    ]
    expect(look(flowing(), counts).state).toBe('proven')
  })

  it('is bypassed when one of its three layers is', () => {
    const counts = [60, 120, 180].map((n) => ({ browser: n, worker: (n * 2) / 3 }))
    expect(look(flowing(), counts).state).toBe('bypassed')
  })

  it('is bypassed when it sends and the worker has no transform of it', () => {
    const counts = [
      { browser: 1, worker: 0 },
      { browser: 2, worker: 0 },
    ]
    expect(look(newStreamProof(0), counts).state).toBe('bypassed')
  })

  it('is given up when its transform never arrives', () => {
    const still = Array.from({ length: 8 }, () => ({ browser: 0, worker: 0 }))
    expect(look(newStreamProof(0), still).state).toBe('bypassed')
    expect(look(attached(), still).state).toBe('attached')
  })

  it('is never trusted again', () => {
    const lost = look(
      flowing(),
      [9, 18].map((browser) => ({ browser, worker: 0 })),
    )
    expect(streamProof(lost, { type: 'firstFrame' }, 0).state).toBe('bypassed')
  })
})

describe('the count of the browser', () => {
  const report = [
    { type: 'outbound-rtp', kind: 'video', framesSent: 5, framesEncoded: 7, packetsSent: 99 },
    { type: 'outbound-rtp', kind: 'video', framesEncoded: 2 },
    { type: 'outbound-rtp', kind: 'audio', packetsSent: 50, retransmittedPacketsSent: 10 },
    { type: 'inbound-rtp', kind: 'video', framesReceived: 3 },
    { type: 'inbound-rtp', kind: 'audio', packetsReceived: 4 },
    { type: 'candidate-pair', packetsSent: 1_000 },
  ]

  it('is of frames, over all layers, without what was sent again', () => {
    expect(frameCount(report, 'send')).toBe(5 + 2 + 40)
    expect(frameCount(report, 'receive')).toBe(3 + 4)
  })
})

function attached(): StreamProof {
  return streamProof(newStreamProof(0), { type: 'attached' }, 0)
}

function flowing(): StreamProof {
  return streamProof(newStreamProof(0), { type: 'firstFrame' }, 0)
}

function look(proof: StreamProof, all: readonly FrameCounts[]): StreamProof {
  return all.reduce(
    (before, counts, i) =>
      streamProof(before, { type: 'counted', counts }, (i + 1) * LOOK_EVERY_MS),
    proof,
  )
}
