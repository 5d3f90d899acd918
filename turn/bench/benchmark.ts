import { cpus, release } from 'node:os'
import type { Contender, Running } from './contender.ts'
import { start } from './contender.ts'
import type { Generator } from './generator.ts'
import type { AllocationSample, Sample } from './measure.ts'
import {
  lossOf,
  measure,
  measureAllocations,
  measureIdleMemory,
  peakRate,
  perCpuSecond,
} from './measure.ts'
import type { Plan } from './plan.ts'
import type { Carrier, Shape } from './stage.ts'
import { Stage } from './stage.ts'
import type { Login } from './turn-session.ts'

/** Medians over the rounds of one load. */
export interface LoadFigures {
  readonly rate: number
  readonly burst: number
  readonly shape: Shape
  readonly loss: number
  readonly perCpuSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly generatorCpuShare: number
}

/** Highest rates without loss, by carrier; 0 where it does not relay that at all. */
export type Peaks = Readonly<Record<Carrier, number>>

/** What was found of one contender. */
export interface Figures {
  readonly name: string
  readonly peaks: Peaks
  /** `undefined` where it relays nothing without loss. */
  readonly atHalfPeak: LoadFigures | undefined
  readonly atHalfOfCoturn: LoadFigures | undefined
  readonly loads: readonly LoadFigures[]
  readonly allocations: AllocationSample | undefined
  readonly idleBytes: number | undefined
}

/** What is found while all contenders run. */
type RunningFigures = Omit<Figures, 'idleBytes'>

/** A benchmark's outcome. */
export interface Report {
  readonly when: string
  readonly machine: string
  readonly plan: Plan
  readonly contenders: readonly Figures[]
}

/** What a benchmark works with. */
export interface BenchmarkParts {
  readonly contenders: readonly Contender[]
  readonly generator: Generator
  readonly plan: Plan
  readonly say: (line: string) => void
}

interface Load {
  readonly shape: Shape
  readonly rate: number
  readonly burst: number
}

/** Measures everything that the plan asks for. The contenders run all the while, and take turns. */
export async function runBenchmark(parts: BenchmarkParts): Promise<Report> {
  const contenders = await measureRunning(parts)
  parts.say('memory …')
  const figures: Figures[] = []
  for (const [index, contender] of parts.contenders.entries()) {
    const measured = contenders[index]
    if (measured) figures.push({ ...measured, idleBytes: await idleBytesOf(contender, parts) })
  }
  return {
    when: new Date().toISOString(),
    machine: machine(),
    plan: parts.plan,
    contenders: figures,
  }
}

async function measureRunning(parts: BenchmarkParts): Promise<readonly RunningFigures[]> {
  const { plan, say } = parts
  const running: Running[] = []
  for (const contender of parts.contenders) running.push(await start(contender))
  try {
    const lanes = running.map((one) => new Lane(parts, one))
    say('peak rates …')
    for (const lane of lanes) {
      lane.findPeaks()
      say(`  ${lane.name}: ${Math.round(lane.peaks.channel)} per second`)
    }
    const loads = loadsOf(plan)
    for (const load of loads) {
      const able = lanes.filter((lane) => lane.can(load))
      takeRounds(able, load, parts)
    }
    say('half load …')
    const relaying = lanes.filter(({ peaks }) => peaks.channel > 0)
    const coturnPeak = lanes.find(({ name }) => name === 'coturn')?.peaks.channel
    for (const lane of relaying) takeRounds([lane], halfOf(lane.peaks.channel, plan), parts)
    // Also those whose own peak is below it: what they lose then is the answer.
    if (coturnPeak !== undefined) takeRounds(relaying, halfOf(coturnPeak, plan), parts)
    say('allocations …')
    for (let round = 0; round < plan.rounds; round++) {
      for (const lane of lanes) lane.takeAllocations()
    }
    return lanes.map((lane) => ({
      name: lane.name,
      peaks: lane.peaks,
      atHalfPeak: lane.figures(halfOf(lane.peaks.channel, plan)),
      atHalfOfCoturn: coturnPeak === undefined ? undefined : lane.figures(halfOf(coturnPeak, plan)),
      loads: loads.flatMap((load) => lane.figures(load) ?? []),
      allocations: lane.allocations(),
    }))
  } finally {
    for (const one of running) await one.stop()
  }
}

/** One contender, with the samples of its rounds. */
class Lane {
  readonly name: string
  peaks: Peaks = { channel: 0, indication: 0 }
  readonly #parts: BenchmarkParts
  readonly #running: Running
  readonly #samples = new Map<string, Sample[]>()
  readonly #stages = new Map<Carrier, Stage>()
  readonly #allocations: AllocationSample[] = []

  constructor(parts: BenchmarkParts, running: Running) {
    this.#parts = parts
    this.#running = running
    this.name = running.name
  }

  findPeaks(): void {
    const peakOf = (carrier: Carrier) => {
      const { generator, plan } = this.#parts
      const { mainShape, peak, burst } = plan
      const stage = this.#stage(carrier)
      stage.renew(generator)
      const flows = stage.flows({ ...mainShape, carrier })
      const run = (rate: number) => generator.run({ flows, rate, burst, seconds: peak.seconds })
      return peakRate(run, peak)
    }
    this.peaks = { channel: peakOf('channel'), indication: peakOf('indication') }
  }

  /** Whether it relays the load without loss, as far as its peak tells. */
  can({ shape, rate }: Load): boolean {
    return rate <= this.peaks[shape.carrier]
  }

  take(load: Load): void {
    const { generator, plan } = this.#parts
    const stage = this.#stage(load.shape.carrier)
    stage.renew(generator)
    const flows = stage.flows(load.shape)
    // What comes first compiles code and fills caches.
    generator.run({ flows, rate: load.rate, burst: load.burst, seconds: 0.2 })
    const sample = measure(generator, this.#running, { ...load, flows, seconds: plan.seconds })
    const samples = this.#samples.get(keyOf(load)) ?? []
    this.#samples.set(keyOf(load), [...samples, sample])
  }

  figures(load: Load): LoadFigures | undefined {
    const samples = this.#samples.get(keyOf(load))
    if (!samples) return undefined
    const middle = (pick: (sample: Sample) => number) => median(samples.map(pick))
    return {
      ...load,
      loss: middle(lossOf),
      perCpuSecond: middle(perCpuSecond),
      p50Us: middle(({ p50Us }) => p50Us),
      p99Us: middle(({ p99Us }) => p99Us),
      generatorCpuShare: middle(({ generatorCpuS, seconds }) => generatorCpuS / seconds),
    }
  }

  /** A round of allocations. They open sockets by the thousand; no other clients are left after it. */
  takeAllocations(): void {
    const { generator, plan } = this.#parts
    const server = withLogin(this.#running)
    if (server) this.#allocations.push(measureAllocations(generator, server, plan.allocations))
    generator.close()
  }

  allocations(): AllocationSample | undefined {
    if (this.#allocations.length === 0) return undefined
    const perSecond = median(this.#allocations.map((sample) => sample.perSecond))
    return { perSecond, perCpuSecond: median(this.#allocations.map((one) => one.perCpuSecond)) }
  }

  /** The stage of a carrier, kept for all rounds: an address may not come back while it is known. */
  #stage(carrier: Carrier): Stage {
    const { generator, plan } = this.#parts
    const stage =
      this.#stages.get(carrier) ??
      Stage.set(generator, this.#running, { count: plan.pairs, carrier })
    this.#stages.set(carrier, stage)
    return stage
  }
}

/** By a process of its own: one that has had more to do before has memory to spare. */
async function idleBytesOf(
  contender: Contender,
  { generator, plan }: BenchmarkParts,
): Promise<number | undefined> {
  if (!contender.login) return undefined
  const running = await start(contender)
  try {
    const server = withLogin(running)
    return server && measureIdleMemory(generator, server, plan.idleAllocations).bytes
  } finally {
    generator.close()
    await running.stop()
  }
}

/** Lets contenders take turns at a load. */
function takeRounds(lanes: readonly Lane[], load: Load, { plan, say }: BenchmarkParts): void {
  const { carrier, direction, payloadBytes } = load.shape
  say(
    `${carrier}, ${direction}, ${payloadBytes} bytes, ${Math.round(load.rate)}/s by ${load.burst} …`,
  )
  for (let round = 0; round < plan.rounds; round++) for (const lane of lanes) lane.take(load)
}

function halfOf(peak: number, { mainShape, burst }: Plan): Load {
  return { shape: mainShape, rate: Math.max(1, Math.round(peak / 2)), burst }
}

function loadsOf({ mainShape, rates, otherShapes, otherBursts, burst }: Plan): readonly Load[] {
  const first = rates[0] ?? 0
  return [
    ...rates.map((rate) => ({ shape: mainShape, rate, burst })),
    ...otherBursts.map((other) => ({ shape: mainShape, rate: first, burst: other })),
    ...otherShapes.map((shape) => ({ shape, rate: first, burst })),
  ]
}

function withLogin(running: Running): (Running & { readonly login: Login }) | undefined {
  const { login } = running
  return login && { ...running, login }
}

function keyOf(load: Load): string {
  return JSON.stringify(load)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? 0
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? 0) + upper) / 2 : upper
}

function machine(): string {
  const list = cpus()
  return `${list.length} × ${list[0]?.model ?? 'unknown'}, Linux ${release()}, Node ${process.version}`
}
