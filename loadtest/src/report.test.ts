import { describe, expect, test } from 'vitest'
import type { Check } from './checks.ts'
import { expectedPairs, planGroup } from './plan.ts'
import type { Seat } from './plan.ts'
import { reportText } from './report-text.ts'
import { makeReport } from './report.ts'
import type { Report } from './report.ts'
import type { ClientSample, RunSamples, StreamSample } from './samples.ts'

type Audio = Extract<StreamSample, { kind: 'audio' }>
type Video = Extract<StreamSample, { kind: 'video' }>

const scenario = {
  rooms: 1,
  participants: 2,
  holdMs: 20_000,
  joinsPerSecond: 10,
  video: true,
  silence: false,
}
const plan = planGroup(scenario, 'abc')

describe('a run in which all is well', () => {
  test('passes every check', () => {
    const report = reportOf({})
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(report).toMatchObject({ verdict: 'passed', passed: 6, failed: 0 })
    expect(report.schema).toBe('parley-loadtest/1')
  })

  test('is summed up by step and by kind', () => {
    const { phases, totals } = reportOf({})
    expect(phases.find(({ name }) => name === 'join')?.summary).toMatchObject({ count: 2, p50: 20 })
    expect(phases.find(({ name }) => name === 'firstVideo')?.summary?.max).toBe(90)
    expect(totals).toMatchObject([
      { kind: 'audio', streams: 2, packets: 2_000 },
      { kind: 'video', streams: 2, packets: 2_000 },
    ])
  })
})

describe('the tone check fails', () => {
  test('when a stream is silent', () => {
    const detail = failing({ audio: { heard: { ...heard, right: 0, silent: 5 } } }, 'tone')
    expect(detail).toContain('load-abc-1-1 hears of load-abc-1-2: silence in 5 of 5')
    expect(detail).toContain('400 Hz')
  })

  test('when another tone is heard, once is enough', () => {
    const wrong = { ...heard, wrong: 1, wrongHz: 900 }
    expect(failing({ audio: { heard: wrong } }, 'tone')).toContain('900 Hz in 1 of 6')
  })

  test('when a stream was never judged, or never came', () => {
    expect(failing({ audio: { heard: { ...heard, right: 0 } } }, 'tone')).toContain('missing')
    expect(failing({ without: 'audio' }, 'tone')).toContain('2 of 2 audio streams')
  })
})

describe('another check fails', () => {
  test('clients: when one does not come in', () => {
    const failure = { during: 'join', code: 'call-full', message: 'The call is full.' } as const
    expect(failing({ client: { failure } }, 'clients')).toContain('during join: call-full')
  })

  test('video: when no frame is whole, or one is not what was sent', () => {
    expect(failing({ video: { seen: { ...seen, frames: 0 } } }, 'video')).toContain('no whole')
    expect(failing({ video: { seen: { ...seen, altered: 2 } } }, 'video')).toContain('2 of 300')
  })

  test('loss: above the share that is allowed', () => {
    const lossy = { figures: { ...figures, packets: 900, lost: 100 } }
    expect(failing({ audio: lossy }, 'loss')).toContain('10 %')
  })

  test('continuity: when a stream pauses', () => {
    const paused = { figures: { ...figures, longestGapMs: 2_500 } }
    expect(failing({ video: paused }, 'continuity')).toContain('2500 ms')
  })
})

describe('the verdict', () => {
  test('is that a run says nothing when its generator was too slow', () => {
    expect(reportOf({ generator: { loopDelayP99Ms: 150 } }).verdict).toBe('invalid')
    expect(reportOf({ generator: { loopUtilization: 0.95 } }).verdict).toBe('invalid')
    expect(reportOf({ generator: { cpu: 1.99 } }).verdict).toBe('invalid')
    expect(reportOf({ client: { skippedFrames: 100 } }).verdict).toBe('invalid')
  })

  test('is that an interrupted run is that, whatever it found', () => {
    expect(reportOf({ interrupted: true, without: 'audio' }).verdict).toBe('interrupted')
  })
})

test('a person reads a table, a line per check, and the count at the end', () => {
  const text = reportText(reportOf({ audio: { heard: { ...heard, right: 0, silent: 5 } } }))
  expect(text).toContain('1-2 → 1-1')
  expect(text).toMatch(/^✓ video/m)
  expect(text).toMatch(/^✗ tone/m)
  expect(text.trimEnd().split('\n').at(-1)).toBe('5 passed, 1 failed')
})

test('many streams are not listed one by one', () => {
  const report = reportOf({})
  const streams = Array.from({ length: 30 }, () => report.streams).flat()
  expect(reportText({ ...report, streams })).toContain('120 streams; --json')
})

const figures = {
  packets: 1_000,
  payloadBytes: 80_000,
  lost: 0,
  outOfOrder: 0,
  duplicates: 0,
  jitterMs: 1,
  bitsPerSecond: 32_000,
  longestGapMs: 30,
}
const heard: Audio['heard'] = { right: 5, silent: 0, wrong: 0, wrongHz: undefined }
const seen: Video['seen'] = {
  frames: 300,
  keyFrames: 10,
  broken: 0,
  altered: 0,
  width: 320,
  height: 180,
}

interface Differences {
  readonly audio?: Partial<Audio>
  readonly video?: Partial<Video>
  readonly client?: Partial<ClientSample>
  readonly generator?: Partial<RunSamples['generator']>
  readonly without?: StreamSample['kind']
  readonly interrupted?: boolean
}

function failing(differences: Differences, name: Check['name']): string {
  const failed = reportOf(differences).checks.filter(({ ok }) => !ok)
  expect(failed.map((check) => check.name)).toEqual([name])
  return failed[0]?.detail ?? ''
}

function reportOf(differences: Differences): Report {
  const streams = expectedPairs(plan).flatMap((ends): StreamSample[] => [
    { kind: 'audio', ...ends, firstMs: 40, figures, heard, ...differences.audio },
    { kind: 'video', ...ends, firstMs: 90, figures, seen, ...differences.video },
  ])
  return makeReport({
    plan,
    samples: {
      clients: plan.seats.map((seat) => ({ ...clientAt(seat), ...differences.client })),
      streams: streams.filter(({ kind }) => kind !== differences.without),
      generator: {
        loopDelayP99Ms: 5,
        loopUtilization: 0.2,
        cpu: 0.3,
        cores: 2,
        ...differences.generator,
      },
      interrupted: differences.interrupted ?? false,
      heldMs: 20_000,
    },
    thresholds: { maxLoss: 0.01, maxGapMs: 2_000, maxLoopDelayMs: 100 },
    url: 'http://localhost:3000/',
    run: 'abc',
    startedAt: '2026-01-01T00:00:00.000Z',
    machine: { platform: 'linux-x64', node: 'v24', cpu: 'a cpu', cores: 2, memoryBytes: 1 },
  })
}

function clientAt(seat: Seat): ClientSample {
  return {
    seat,
    phases: { connect: 10, join: 20, mediaOpen: 5, mediaConnected: 30, publish: 8 },
    failure: undefined,
    sentFrames: 1_300,
    skippedFrames: 0,
    strayPackets: 0,
  }
}
