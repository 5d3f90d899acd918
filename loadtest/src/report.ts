import { runChecks } from './checks.ts'
import type { Check, Thresholds } from './checks.ts'
import { summarize } from './percentiles.ts'
import type { Summary } from './percentiles.ts'
import type { GroupScenario, Plan } from './plan.ts'
import { clientPhases } from './samples.ts'
import type { ClientSample, GeneratorSample, RunSamples, StreamSample } from './samples.ts'

/** Rises when a field changes its meaning or goes; new fields may come without. */
export const REPORT_SCHEMA = 'parley-loadtest/1'

/** How each figure came about; part of every report, so that none is read without it. */
const method = [
  'Headless clients in one process: Socket.IO and the Parley protocol, DTLS-SRTP by libdatachannel, RTP by the load tester.',
  'Audio: a sine of its own per participant, as Opus of 32 kbit/s in 20 ms frames, sent from a loop that was encoded beforehand.',
  'Tone: stretches of 12 consecutive frames of each stream are decoded and the last 8 judged: at least 80 % of the energy at the tone sent (Goertzel), and no silence.',
  'Video: VP8 films in three simulcast layers (160x90, 320x180, 640x360, 15 frames per second) in a loop, which starts again where a key frame is asked for. Received frames are put together again and compared byte for byte with the films; they are not decoded.',
  'Loss: gaps in the RTP sequence numbers at the receiver, which asks for no retransmission. Jitter: RFC 3550, with arrival stamped when the packet reaches the program, so it includes the generator being late.',
  'Steps of a client are timed from their first request to their last answer; first audio and first video from when the receiver learns of the stream to its first packet or first whole frame.',
] as const

/** Everything about a run. Durations in ms; shares from 0 to 1. */
export interface Report {
  readonly schema: typeof REPORT_SCHEMA
  readonly verdict: 'passed' | 'failed' | 'invalid' | 'interrupted'
  readonly startedAt: string
  readonly config: {
    readonly scenario: 'group'
    readonly url: string
    readonly run: string
    readonly thresholds: Thresholds
  } & GroupScenario
  readonly machine: Machine
  readonly method: readonly string[]
  readonly heldMs: number
  readonly generator: GeneratorSample
  readonly clients: readonly ClientSample[]
  readonly phases: readonly PhaseRow[]
  readonly streams: readonly StreamSample[]
  readonly totals: readonly KindRow[]
  readonly checks: readonly Check[]
  readonly passed: number
  readonly failed: number
}

/** What the run ran on; nothing that names it. */
export interface Machine {
  readonly platform: string
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
}

/** One step over all clients, or over all streams. */
export interface PhaseRow {
  readonly name: string
  readonly summary: Summary | undefined
}

/** All streams of one kind. */
export interface KindRow {
  readonly kind: StreamSample['kind']
  readonly streams: number
  readonly packets: number
  readonly lost: number
  readonly outOfOrder: number
  readonly bitsPerSecond: Summary | undefined
  readonly jitterMs: Summary | undefined
}

/** Makes the report of a run. */
export function makeReport(input: {
  readonly plan: Plan
  readonly samples: RunSamples
  readonly thresholds: Thresholds
  readonly url: string
  readonly run: string
  readonly startedAt: string
  readonly machine: Machine
}): Report {
  const { plan, samples, thresholds, url, run, startedAt, machine } = input
  const checks = runChecks(plan, samples, thresholds)
  const failed = checks.filter(({ ok }) => !ok).length
  return {
    schema: REPORT_SCHEMA,
    verdict: verdictOf(samples, checks),
    startedAt,
    config: { scenario: 'group', url, run, thresholds, ...plan.scenario },
    machine,
    method,
    heldMs: samples.heldMs,
    generator: samples.generator,
    clients: samples.clients,
    phases: phaseRows(samples),
    streams: samples.streams,
    totals: [
      kindRow('audio', samples),
      ...(plan.scenario.video ? [kindRow('video', samples)] : []),
    ],
    checks,
    passed: checks.length - failed,
    failed,
  }
}

/** A generator that was too slow says nothing about the server, good or bad. */
function verdictOf({ interrupted }: RunSamples, checks: readonly Check[]): Report['verdict'] {
  if (interrupted) return 'interrupted'
  if (checks.some(({ name, ok }) => name === 'generator' && !ok)) return 'invalid'
  return checks.every(({ ok }) => ok) ? 'passed' : 'failed'
}

function phaseRows({ clients, streams }: RunSamples): readonly PhaseRow[] {
  const ofClients = clientPhases.map((phase) => ({
    name: phase,
    summary: summarize(clients.flatMap(({ phases }) => phases[phase] ?? [])),
  }))
  const ofStreams = (['audio', 'video'] as const).map((kind) => ({
    name: kind === 'audio' ? 'firstAudio' : 'firstVideo',
    summary: summarize(ofKind(streams, kind).flatMap(({ firstMs }) => firstMs ?? [])),
  }))
  return [...ofClients, ...ofStreams]
}

function kindRow(kind: StreamSample['kind'], { streams }: RunSamples): KindRow {
  const figures = ofKind(streams, kind).map((stream) => stream.figures)
  const flowing = figures.filter(({ packets }) => packets > 0)
  return {
    kind,
    streams: flowing.length,
    packets: sum(figures.map(({ packets }) => packets)),
    lost: sum(figures.map(({ lost }) => lost)),
    outOfOrder: sum(figures.map(({ outOfOrder }) => outOfOrder)),
    bitsPerSecond: summarize(flowing.map(({ bitsPerSecond }) => bitsPerSecond)),
    jitterMs: summarize(flowing.map(({ jitterMs }) => jitterMs)),
  }
}

function ofKind(streams: readonly StreamSample[], kind: StreamSample['kind']) {
  return streams.filter((stream) => stream.kind === kind)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
