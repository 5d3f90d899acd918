import { expectedPairs } from './plan.ts'
import type { Plan, Seat } from './plan.ts'
import type { RunSamples, StreamSample } from './samples.ts'

/** Above this share of its time the event loop has no room left for a burst. */
const BUSY_LOOP = 0.9

/** Above this share of the machine everything on it waits. */
const BUSY_MACHINE = 0.95

/** Offenders that a check names; the report has them all. */
const NAMED = 4

/** What a run must keep to. */
export interface Thresholds {
  /** Share of packets that one stream may lose. */
  readonly maxLoss: number
  readonly maxGapMs: number
  /** 99th percentile of the generator's own lateness. */
  readonly maxLoopDelayMs: number
}

/** One question to the run, with its answer in words. */
export interface Check {
  readonly name: 'clients' | 'tone' | 'video' | 'loss' | 'continuity' | 'generator'
  readonly ok: boolean
  readonly detail: string
}

/** Judges a run. */
export function runChecks(
  plan: Plan,
  samples: RunSamples,
  thresholds: Thresholds,
): readonly Check[] {
  return [
    checkClients(samples),
    checkTone(plan, samples),
    ...(plan.scenario.video ? [checkVideo(plan, samples)] : []),
    checkLoss(samples, thresholds),
    checkContinuity(samples, thresholds),
    checkGenerator(samples, thresholds),
  ]
}

function checkClients({ clients }: RunSamples): Check {
  const wrong = clients.flatMap(({ seat, failure }) =>
    failure ? [`${seat.user} during ${failure.during}: ${failure.code}, ${failure.message}`] : [],
  )
  return verdict('clients', wrong, {
    good: `all ${clients.length} came in and stayed`,
    bad: `${wrong.length} of ${clients.length} failed`,
  })
}

function checkTone(plan: Plan, { streams }: RunSamples): Check {
  const found = byPair(streams, 'audio')
  const pairs = expectedPairs(plan)
  const wrong = pairs.flatMap(({ from, to }) => {
    const stream = found.get(pairKey(from, to))
    const fault = stream?.kind === 'audio' ? toneFault(stream.heard, from) : 'missing'
    return fault === undefined ? [] : [`${to.user} hears of ${from.user}: ${fault}`]
  })
  return verdict('tone', wrong, {
    good: `each of ${pairs.length} audio streams carries the tone that its sender sent`,
    bad: `${wrong.length} of ${pairs.length} audio streams do not carry their sender's tone`,
  })
}

type Heard = Extract<StreamSample, { kind: 'audio' }>['heard']

function toneFault({ right, silent, wrong, wrongHz }: Heard, { toneHz }: Seat): string | undefined {
  const total = right + silent + wrong
  if (total === 0) return 'missing'
  if (silent > 0) return `silence in ${silent} of ${total} stretches in place of ${toneHz} Hz`
  if (wrong > 0) return `${wrongHz ?? 0} Hz in ${wrong} of ${total} stretches, not ${toneHz} Hz`
  return undefined
}

function checkVideo(plan: Plan, { streams }: RunSamples): Check {
  const found = byPair(streams, 'video')
  const pairs = expectedPairs(plan)
  const wrong = pairs.flatMap(({ from, to }) => {
    const stream = found.get(pairKey(from, to))
    const fault = stream?.kind === 'video' ? videoFault(stream.seen) : 'missing'
    return fault === undefined ? [] : [`${to.user} sees of ${from.user}: ${fault}`]
  })
  return verdict('video', wrong, {
    good: `each of ${pairs.length} video streams brings whole frames, byte for byte as sent`,
    bad: `${wrong.length} of ${pairs.length} video streams are missing or damaged`,
  })
}

type Seen = Extract<StreamSample, { kind: 'video' }>['seen']

function videoFault({ frames, keyFrames, altered }: Seen): string | undefined {
  if (frames === 0) return 'no whole frame'
  if (keyFrames === 0) return 'no key frame'
  return altered > 0 ? `${altered} of ${frames} frames altered` : undefined
}

function checkLoss({ streams }: RunSamples, { maxLoss }: Thresholds): Check {
  const wrong = streams
    .map((stream) => ({ stream, loss: lossOf(stream) }))
    .filter(({ loss }) => loss > maxLoss)
    .toSorted((a, b) => b.loss - a.loss)
    .map(({ stream, loss }) => `${nameOf(stream)}: ${percent(loss)}`)
  const worst = Math.max(0, ...streams.map(lossOf))
  return verdict('loss', wrong, {
    good: `at most ${percent(worst)} in a stream (allowed: ${percent(maxLoss)})`,
    bad: `${wrong.length} of ${streams.length} streams lose more than ${percent(maxLoss)}`,
  })
}

function checkContinuity({ streams }: RunSamples, { maxGapMs }: Thresholds): Check {
  const gaps = streams.map(({ figures }) => figures.longestGapMs)
  const wrong = streams
    .filter(({ figures }) => figures.longestGapMs > maxGapMs)
    .map((stream) => `${nameOf(stream)}: ${Math.round(stream.figures.longestGapMs)} ms`)
  return verdict('continuity', wrong, {
    good: `no stream paused for more than ${Math.round(Math.max(0, ...gaps))} ms (allowed: ${maxGapMs} ms)`,
    bad: `${wrong.length} of ${streams.length} streams paused for more than ${maxGapMs} ms`,
  })
}

function checkGenerator({ generator, clients }: RunSamples, thresholds: Thresholds): Check {
  const { loopDelayP99Ms, loopUtilization, cpu, cores } = generator
  const sent = clients.reduce((total, { sentFrames }) => total + sentFrames, 0)
  const skipped = clients.reduce((total, { skippedFrames }) => total + skippedFrames, 0)
  const skippedShare = skipped === 0 ? 0 : skipped / (sent + skipped)
  const wrong = [
    ...(loopDelayP99Ms > thresholds.maxLoopDelayMs
      ? [`it was ${Math.round(loopDelayP99Ms)} ms late (allowed: ${thresholds.maxLoopDelayMs} ms)`]
      : []),
    ...(loopUtilization > BUSY_LOOP ? [`its loop was ${percent(loopUtilization)} busy`] : []),
    ...(cpu / cores > BUSY_MACHINE ? [`it used ${percent(cpu / cores)} of the machine`] : []),
    ...(skippedShare > thresholds.maxLoss
      ? [`it was too late to send ${percent(skippedShare)} of its frames`]
      : []),
  ]
  return verdict('generator', wrong, {
    good: `${Math.round(loopDelayP99Ms)} ms late (p99), loop ${percent(loopUtilization)} busy, ${percent(cpu)} of a core`,
    bad: 'the load generator was saturated, so the figures say nothing about the server',
  })
}

function verdict(
  name: Check['name'],
  wrong: readonly string[],
  { good, bad }: { readonly good: string; readonly bad: string },
): Check {
  if (wrong.length === 0) return { name, ok: true, detail: good }
  const more = wrong.length > NAMED ? `; and ${wrong.length - NAMED} more` : ''
  return { name, ok: false, detail: `${bad}: ${wrong.slice(0, NAMED).join('; ')}${more}` }
}

function byPair(streams: readonly StreamSample[], kind: StreamSample['kind']) {
  return new Map(
    streams
      .filter((stream) => stream.kind === kind)
      .map((stream) => [pairKey(stream.from, stream.to), stream]),
  )
}

function pairKey(from: Seat, to: Seat): string {
  return `${from.user}>${to.user}`
}

function nameOf({ kind, from, to }: StreamSample): string {
  return `${kind} ${from.user} to ${to.user}`
}

function lossOf({ figures }: StreamSample): number {
  const expected = figures.packets - figures.duplicates + figures.lost
  return expected === 0 ? 0 : figures.lost / expected
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 2 : 0)} %`
}
