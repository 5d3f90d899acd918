import type { MediaKind } from '@parley/protocol'
import type { InboundSample, MediaSample, OutboundSample } from './stats.ts'

export type QualityLevel = 'excellent' | 'good' | 'poor' | 'lost' | 'unknown'
export type QualityReason =
  'loss' | 'rtt' | 'jitter' | 'bandwidth' | 'cpu' | 'freeze' | 'concealment' | 'no-media'

/** How good a call is for people, and why it is not better. */
export interface Quality {
  readonly level: QualityLevel
  /** Mean opinion score, 1 to 4.5. */
  readonly mos: number
  /** 0 to 100, sending and receiving. */
  readonly up: number
  readonly down: number
  readonly reasons: readonly QualityReason[]
}

export const unknownQuality: Quality = {
  level: 'unknown',
  mos: 0,
  up: 100,
  down: 100,
  reasons: [],
}

/** Smoothing of LiveKit's scorer: trust in a fall comes faster than in a rise. */
const FALLING = 0.8
const RISING = 0.4
const FLOOR = 30

/** Opus recovers from a third of its losses by inband FEC. */
const LOSS_WEIGHT: Readonly<Record<MediaKind, number>> = { audio: 8 / 1.5, video: 10 }

/** Scores the time between two samples, following on from the quality before. */
export function scoreQuality(
  previous: Quality,
  before: MediaSample,
  now: MediaSample,
  expectsMedia: boolean,
): Quality {
  const received = pairUp(before.inbound, now.inbound)
  const sent = pairUp(before.outbound, now.outbound)
  const rttMs = now.pair?.rttMs ?? 0
  const down = received.map(([a, b]) => inboundScore(a, b, rttMs))
  const up = sent.filter(([a, b]) => b.packets > a.packets).map(([, b]) => outboundScore(b, rttMs))
  const silent =
    expectsMedia && received.length > 0 && received.every(([a, b]) => b.packets <= a.packets)
  const reasons = reasonsOf(received, sent, rttMs)
  if (received.length === 0 && up.length === 0) return previous
  const downScore = smooth(previous.down, silent ? 20 : Math.min(100, ...down))
  const upScore = smooth(previous.up, Math.min(100, ...up))
  const score = Math.min(downScore, upScore)
  return {
    level: silent ? 'lost' : levelOf(score),
    mos: meanOpinion(score),
    up: upScore,
    down: downScore,
    reasons: silent ? ['no-media', ...reasons] : reasons,
  }
}

/** Score of a stream by its delay and loss, 0 to 100 (LiveKit's `connectionquality` scorer). */
export function packetScore(
  kind: MediaKind,
  { rttMs, jitterMs, loss }: { rttMs: number; jitterMs: number; loss: number },
): number {
  const delayMs = rttMs / 2 + 2 * jitterMs
  const delayEffect = delayMs > 160 ? (delayMs - 120) / 10 : delayMs / 40
  return Math.max(0, 100 - delayEffect - loss * 100 * LOSS_WEIGHT[kind])
}

/** The E-model's mapping of a score to an opinion. */
export function meanOpinion(score: number): number {
  if (score <= 0) return 1
  if (score >= 100) return 4.5
  return 1 + 0.035 * score + 7e-6 * score * (score - 60) * (100 - score)
}

function inboundScore(before: InboundSample, now: InboundSample, rttMs: number): number {
  return packetScore(now.kind, { rttMs, jitterMs: now.jitterMs, loss: lossOf(before, now) })
}

function outboundScore(now: OutboundSample, pairRttMs: number): number {
  const rttMs = now.rttMs ?? pairRttMs
  const score = packetScore(now.kind, { rttMs, jitterMs: 0, loss: now.remoteLoss ?? 0 })
  // A camera that is sent at a fraction of its rate is seen as such.
  return now.limitedBy === 'none' ? score : Math.min(score, 75)
}

function reasonsOf(
  received: readonly (readonly [InboundSample, InboundSample])[],
  sent: readonly (readonly [OutboundSample, OutboundSample])[],
  rttMs: number,
): readonly QualityReason[] {
  const found = new Set<QualityReason>()
  if (rttMs > 300) found.add('rtt')
  for (const [before, now] of received) {
    if (lossOf(before, now) > 0.02) found.add('loss')
    if (now.jitterMs > 50) found.add('jitter')
    if (now.frozenMs - before.frozenMs > 400) found.add('freeze')
    const concealed = now.concealedSamples - before.concealedSamples
    const samples = now.samples - before.samples
    if (samples > 0 && concealed / samples > 0.15) found.add('concealment')
  }
  for (const [before, now] of sent) {
    if ((now.remoteLoss ?? 0) > 0.02) found.add('loss')
    if (now.packets <= before.packets) continue
    if (now.limitedBy === 'cpu' || now.limitedBy === 'bandwidth') found.add(now.limitedBy)
  }
  return [...found].sort()
}

function lossOf(before: InboundSample, now: InboundSample): number {
  const lost = Math.max(0, now.lost - before.lost)
  const expected = Math.max(0, now.packets - before.packets) + lost
  return expected === 0 ? 0 : lost / expected
}

function pairUp<Sample extends { readonly id: string }>(
  before: readonly Sample[],
  now: readonly Sample[],
): readonly (readonly [Sample, Sample])[] {
  return now.flatMap((sample) => {
    const earlier = before.find(({ id }) => id === sample.id)
    return earlier ? [[earlier, sample] as const] : []
  })
}

function smooth(previous: number, score: number): number {
  const factor = score < previous ? FALLING : RISING
  return Math.max(score < FLOOR ? score : FLOOR, factor * score + (1 - factor) * previous)
}

function levelOf(score: number): QualityLevel {
  if (score > 80) return 'excellent'
  if (score > 40) return 'good'
  return score > 20 ? 'poor' : 'lost'
}
