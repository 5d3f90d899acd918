import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meanOpinion, packetScore, scoreQuality, unknownQuality } from './quality.ts'
import type { InboundSample, MediaSample, OutboundSample } from './stats.ts'

describe('the score of a stream', () => {
  it('is full on a perfect path and falls with loss as published', () => {
    const score = (kind: 'audio' | 'video', loss: number) =>
      packetScore(kind, { rttMs: 0, jitterMs: 0, loss })
    expect(score('video', 0)).toBe(100)
    // 2 % of video lost is no longer excellent, 6 % is poor; Opus with FEC bears more.
    expect(score('video', 0.02)).toBeCloseTo(80)
    expect(score('video', 0.06)).toBeCloseTo(40)
    expect(score('audio', 0.0375)).toBeCloseTo(80)
  })

  it('falls slowly with delay up to 160 ms and fast beyond', () => {
    const score = (rttMs: number) => packetScore('audio', { rttMs, jitterMs: 0, loss: 0 })
    expect(score(320)).toBe(96)
    expect(score(720)).toBe(76)
  })

  it('is never better for being worse', () => {
    const bad = fc.record({
      rttMs: fc.nat(2_000),
      jitterMs: fc.nat(300),
      loss: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    fc.assert(
      fc.property(bad, fc.nat(500), (conditions, more) => {
        const score = packetScore('video', conditions)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(100)
        const lossier = { ...conditions, loss: Math.min(1, conditions.loss + more / 500) }
        expect(packetScore('video', lossier)).toBeLessThanOrEqual(score)
      }),
    )
  })
})

describe('the opinion', () => {
  it('spans 1 to 4.5', () => {
    expect([meanOpinion(-1), meanOpinion(100)]).toEqual([1, 4.5])
    expect(meanOpinion(80)).toBeCloseTo(4.02, 1)
  })
})

describe('quality', () => {
  it('is excellent where everything arrives', () => {
    const quality = scoreQuality(unknownQuality, sample(), sample({ packets: 100 }), true)
    expect(quality).toMatchObject({ level: 'excellent', reasons: [] })
  })

  it('falls at once with loss and says so', () => {
    const quality = scoreQuality(unknownQuality, sample(), sample({ packets: 94, lost: 6 }), true)
    expect(quality.level).toBe('good')
    expect(quality.reasons).toEqual(['loss'])
  })

  it('rises more slowly than it falls', () => {
    const lossy = scoreQuality(unknownQuality, sample(), sample({ packets: 80, lost: 20 }), true)
    const better = scoreQuality(lossy, sample(), sample({ packets: 100 }), true)
    expect(better.down).toBeGreaterThan(lossy.down)
    expect(better.down).toBeLessThan(60)
  })

  it('is lost when nothing arrives that should', () => {
    const quality = scoreQuality(unknownQuality, sample(), sample(), true)
    expect(quality).toMatchObject({ level: 'lost', reasons: ['no-media'] })
  })

  it('is not lost when nobody sends', () => {
    const quality = scoreQuality(unknownQuality, sample(), sample(), false)
    expect(quality.level).toBe('excellent')
  })

  it('names freezes, concealment and what limits the sender', () => {
    const frozen = sample({ packets: 100, frozenMs: 900, concealedSamples: 300, samples: 1_000 })
    const before = { ...sample(), outbound: [outbound({})] }
    const now = { ...frozen, outbound: [outbound({ packets: 10, limitedBy: 'cpu' })] }
    const { reasons } = scoreQuality(unknownQuality, before, now, true)
    expect(reasons).toEqual(['concealment', 'cpu', 'freeze'])
  })

  it('is unknown until there is something to compare', () => {
    const nothing: MediaSample = { at: 0, pair: undefined, inbound: [], outbound: [] }
    expect(scoreQuality(unknownQuality, nothing, nothing, true)).toBe(unknownQuality)
  })
})

function sample(change: Partial<InboundSample> = {}): MediaSample {
  const stream: InboundSample = {
    id: 'in',
    kind: 'video',
    track: 't',
    packets: 0,
    lost: 0,
    bytes: 0,
    jitterMs: 0,
    framesDecoded: 0,
    framesPerSecond: 0,
    width: 0,
    height: 0,
    frozenMs: 0,
    concealedSamples: 0,
    samples: 0,
    ...change,
  }
  return { at: 0, pair: undefined, inbound: [stream], outbound: [] }
}

function outbound(change: Partial<OutboundSample>): OutboundSample {
  return {
    id: 'out',
    kind: 'video',
    rid: undefined,
    packets: 0,
    bytes: 0,
    framesPerSecond: 0,
    width: 0,
    height: 0,
    targetBps: undefined,
    limitedBy: 'none',
    remoteLoss: undefined,
    rttMs: undefined,
    ...change,
  }
}
