import type { CallFigures, IdleFigures, Plan, StallFigures, StormFigures } from './measure.ts'

/** The figures of one run. */
export interface Report {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly plan: Plan
  readonly idle: {
    readonly bare: IdleFigures
    readonly ours: IdleFigures
    readonly ratio: number
  }
  readonly calls: CallFigures
  readonly storm: StormFigures
}

/** What is aimed at. */
export const MOST_MEMORY_RATIO = 1.3
export const LONGEST_STALL_MS = 50

/** The report as people read it. */
export function formatReport({ node, cpu, cores, plan, idle, calls, storm }: Report): string {
  const kib = (bytes: number) => `${(bytes / 1_024).toFixed(1)} KiB`
  const ms = (value: number) => `${value.toFixed(1)} ms`
  const { back } = storm
  const cutOff = ({ stallMs, busiestMs }: StallFigures) =>
    `${ms(stallMs)}, ${ms(busiestMs)} its own`
  const rows: readonly (readonly [string, string])[] = [
    ['idle client, bare Socket.IO: heap', kib(idle.bare.bytesPerClient)],
    ['idle client, ours: heap', kib(idle.ours.bytesPerClient)],
    ['ratio', `${idle.ratio.toFixed(2)} (at most ${MOST_MEMORY_RATIO})`],
    ['idle client, bare: resident', kib(idle.bare.residentBytesPerClient)],
    ['idle client, ours: resident', kib(idle.ours.residentBytesPerClient)],
    ['calls set up, answered and ended', String(calls.calls)],
    ['… a second', calls.callsPerSecond.toFixed(0)],
    ['… a second of one core', calls.callsPerCpuSecond.toFixed(0)],
    ['from call.start to call.incoming, p50', ms(calls.ringP50Ms)],
    ['… p99', ms(calls.ringP99Ms)],
    ['storm: clients cut off at once', String(storm.clients)],
    ['… sessions resumed', String(storm.resumed)],
    ['… told to come back later', String(storm.refusals)],
    ['… until the last one was back', `${storm.seconds.toFixed(1)} s`],
    [
      '… longest stall of the event loop meanwhile',
      `${ms(back.stallMs)} (at most ${LONGEST_STALL_MS})`,
    ],
    ['… of it computed by the server itself, at most', ms(back.busiestMs)],
    ['… 99th percentile of its delay', ms(back.stallP99Ms)],
    ['… CPU of the server', ms(storm.cpuMs)],
    ['stall when all are cut off in one moment', cutOff(storm.cut)],
    ['… of a bare Socket.IO server', cutOff(storm.bareCut)],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    `Signaling, ${plan.clients} clients, Node ${node}, ${cores} × ${cpu}`,
    '',
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    '',
    'Each server runs in a process of its own; the clients are raw WebSockets in this one. Heap is what V8 has in',
    'use after a collection, and what hangs on it outside. CPU is that of the server process. In the storm the',
    "clients' process has the lower priority.",
    '',
  ].join('\n')
}
