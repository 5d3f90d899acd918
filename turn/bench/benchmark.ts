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

/** What was found of one contender. */
export interface Figures {
  readonly name: string
  readonly peak: number
  readonly atHalfPeak: LoadFigures
  readonly atHalfOfCoturn: LoadFigures | undefined
  readonly loads: readonly LoadFigures[]
  readonly allocations: AllocationSample | undefined
  readonly idleBytes: number | undefined
}

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
  const { plan, say } = parts
  const running: Running[] = []
  for (const contender of parts.contenders) running.push(await start(contender))
  try {
    const lanes = running.map((one) => new Lane(parts, one))
    say('peak rates …')
    const peaks = new Map(lanes.map((lane) => [lane, lane.peak()]))
    for (const [lane, peak] of peaks) say(`  ${lane.name}: ${Math.round(peak)} per second`)

    for (const { shape, rate, burst } of loadsOf(plan)) {
      say(
        `${shape.carrier}, ${shape.direction}, ${shape.payloadBytes} bytes, ${rate}/s, by ${burst} …`,
      )
      for (let round = 0; round < plan.rounds; round++) {
        for (const lane of lanes)
          if (rate <= (peaks.get(lane) ?? 0)) lane.take({ shape, rate, burst })
      }
    }
    const coturnPeak = [...peaks].find(([lane]) => lane.name === 'coturn')?.[1]
    const atHalf = (lane: Lane, peak: number) => {
      const load = { shape: plan.mainShape, rate: Math.round(peak / 2), burst: plan.burst }
      for (let round = 0; round < plan.rounds; round++) lane.take(load)
      return lane.figures(load)
    }
    say('half load …')
    const halves = new Map(
      lanes.map((lane) => {
        const own = atHalf(lane, peaks.get(lane) ?? 0)
        const coturns = coturnPeak === undefined ? undefined : atHalf(lane, coturnPeak)
        return [lane, { own, coturns }]
      }),
    )
    say('allocations …')
    const contenders = lanes.flatMap((lane) => {
      const half = halves.get(lane)
      if (!half) return []
      return {
        name: lane.name,
        peak: peaks.get(lane) ?? 0,
        atHalfPeak: half.own,
        atHalfOfCoturn: half.coturns,
        loads: loadsOf(plan)
          .filter(({ rate }) => rate <= (peaks.get(lane) ?? 0))
          .map((load) => lane.figures(load)),
        allocations: lane.allocations(),
        idleBytes: lane.idleBytes(),
      }
    })
    return { when: new Date().toISOString(), machine: machine(), plan, contenders }
  } finally {
    for (const one of running) await one.stop()
  }
}

/** One contender, with the samples of its rounds. */
class Lane {
  readonly name: string
  readonly #parts: BenchmarkParts
  readonly #running: Running
  readonly #samples = new Map<string, Sample[]>()
  readonly #stages = new Map<Carrier, Stage>()

  constructor(parts: BenchmarkParts, running: Running) {
    this.#parts = parts
    this.#running = running
    this.name = running.name
  }

  peak(): number {
    const { generator, plan } = this.#parts
    const { mainShape, peak, burst } = plan
    const flows = this.#stage(mainShape.carrier).flows(mainShape)
    const run = (rate: number) => generator.run({ flows, rate, burst, seconds: peak.seconds })
    return peakRate(run, peak)
  }

  take(load: Load): void {
    const { generator, plan } = this.#parts
    const flows = this.#stage(load.shape.carrier).flows(load.shape)
    // What comes first compiles code and fills caches.
    generator.run({ flows, rate: load.rate, burst: load.burst, seconds: 0.2 })
    const sample = measure(generator, this.#running, { ...load, flows, seconds: plan.seconds })
    const samples = this.#samples.get(keyOf(load)) ?? []
    this.#samples.set(keyOf(load), [...samples, sample])
  }

  figures(load: Load): LoadFigures {
    const samples = this.#samples.get(keyOf(load)) ?? []
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

  allocations(): AllocationSample | undefined {
    const { generator, plan } = this.#parts
    const server = withLogin(this.#running)
    return server && measureAllocations(generator, server, plan.allocations)
  }

  idleBytes(): number | undefined {
    const { generator, plan } = this.#parts
    const server = withLogin(this.#running)
    return server && measureIdleMemory(generator, server, plan.idleAllocations).bytes
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
