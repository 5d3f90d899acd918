import { liveCall, steps } from './call-life.ts'
import type { Step } from './call-life.ts'
import { inParallel } from './figures.ts'
import type { WireFormat } from './light-client.ts'
import { BenchServer } from './server.ts'

/** How many lives are lived. */
export interface FormatPlan {
  /** For each format in turn, so often. */
  readonly rounds: number
  readonly livesPerRound: number
}

/** What a call's life costs in one format. */
export interface FormatFigures {
  /** Bytes of WebSocket frames of both people, both ways. */
  readonly bytes: Readonly<Record<Step, number>>
  readonly bytesInAll: number
  /** CPU of the server for one life, the median of the rounds; and of the best one. */
  readonly cpuMs: number
  readonly bestCpuMs: number
}

const FORMATS: readonly WireFormat[] = ['json', 'msgpack']
const AT_ONCE = 8
/** Nobody here is a crowd that is to be held back. */
const WIDE_DOOR = {
  PARLEY_SESSIONS_PER_ADDRESS: '1000000',
  PARLEY_HANDSHAKES_PER_SECOND: '100000',
}

/** A call's life in both formats, at one server. */
export async function measureFormats({
  rounds,
  livesPerRound,
}: FormatPlan): Promise<Readonly<Record<WireFormat, FormatFigures>>> {
  const server = await BenchServer.start('ours', WIDE_DOOR)
  const cpu: Record<WireFormat, number[]> = { json: [], msgpack: [] }
  // The first round warms up, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const format of FORMATS) {
      const names = Array.from({ length: livesPerRound }, (_, i) => `${format}-${round}-${i}`)
      await server.reset()
      await inParallel(names, AT_ONCE, (name) => liveCall(server.url, { name, format }))
      const { cpuMs } = await server.measure()
      if (round > 0) cpu[format].push(cpuMs / livesPerRound)
    }
  }
  const figures = { json: await figuresOf('json'), msgpack: await figuresOf('msgpack') }
  await server.stop()
  return figures

  async function figuresOf(format: WireFormat): Promise<FormatFigures> {
    const bytes: Partial<Record<Step, number>> = {}
    let so = 0
    const onStep = (step: Step, now: number) => {
      bytes[step] = now - so
      so = now
    }
    await liveCall(server.url, { name: `${format}-sizes`.padEnd(16, '-'), format, onStep })
    const sorted = [...cpu[format]].sort((a, b) => a - b)
    return {
      // Each step has told of itself.
      bytes: bytes as Record<Step, number>,
      bytesInAll: so,
      cpuMs: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
      bestCpuMs: sorted[0] ?? Number.NaN,
    }
  }
}

/** The figures as people read them. */
export function formatFormats(figures: Readonly<Record<WireFormat, FormatFigures>>): string {
  const { json, msgpack } = figures
  const row = (name: string, a: number, b: number, digits = 0) =>
    `${name.padEnd(28)}${a.toFixed(digits).padStart(10)}${b.toFixed(digits).padStart(12)}${(b / a).toFixed(2).padStart(8)}`
  return [
    `${"A call's life of two people".padEnd(28)}${'JSON'.padStart(10)}${'MessagePack'.padStart(12)}${'ratio'.padStart(8)}`,
    ...steps.map((step) => row(`bytes: ${step}`, json.bytes[step], msgpack.bytes[step])),
    row('bytes in all', json.bytesInAll, msgpack.bytesInAll),
    row('server CPU, ms, median', json.cpuMs, msgpack.cpuMs, 2),
    row('server CPU, ms, best round', json.bestCpuMs, msgpack.bestCpuMs, 2),
    '',
  ].join('\n')
}
