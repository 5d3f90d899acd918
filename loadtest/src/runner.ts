import { monitorEventLoopDelay } from 'node:perf_hooks'
import { availableParallelism } from 'node:os'
import { Ear } from './ear.ts'
import { readFilms } from './films.ts'
import { encodeTone } from './microphone.ts'
import { Participant } from './participant.ts'
import type { ParticipantContext } from './participant.ts'
import type { Plan } from './plan.ts'
import type { GeneratorSample, RunSamples } from './samples.ts'

const PROGRESS_EVERY_MS = 1_000
const LOOP_DELAY_RESOLUTION_MS = 10

/** Where a run stands. */
export interface Progress {
  readonly elapsedMs: number
  /** From the last arrival on; `undefined` while people still come. */
  readonly heldMs: number | undefined
  readonly clientsIn: number
  readonly clientsFailed: number
  readonly streamsFlowing: number
}

/** Runs a plan against a server and gives back what was measured. */
export async function runPlan(
  plan: Plan,
  options: {
    readonly url: URL
    readonly tokenFor: (user: string) => Promise<string>
    /** Ends the run early; what was measured is still given back. */
    readonly signal: AbortSignal
    readonly onProgress: (progress: Progress) => void
  },
): Promise<RunSamples> {
  const { url, tokenFor, signal, onProgress } = options
  const { scenario, seats, listenEveryMs } = plan
  const ear = new Ear()
  await ear.open()
  const context: ParticipantContext = {
    url,
    tokenFor,
    seats: new Map(seats.map((seat) => [seat.user, seat])),
    instruments: { ear, films: readFilms(), listenEveryMs },
    video: scenario.video,
    silence: scenario.silence,
    tone: toneCache(scenario.silence),
  }
  // Encoding is done before the clock starts, so that it delays nobody's packets.
  for (const { toneHz } of seats) context.tone(toneHz)
  const participants = seats.map((seat) => new Participant(seat, context))
  const generator = watchGenerator()
  const progress = watchProgress(participants, onProgress)
  const arrivals = Promise.all(
    participants.map(async (participant) => {
      await wait(participant.seat.startAtMs, signal)
      if (!signal.aborted) await participant.enter()
    }),
  )
  await Promise.race([arrivals, wait(Infinity, signal)])
  const inSinceMs = performance.now()
  progress.hold(inSinceMs)
  await wait(scenario.holdMs, signal)
  const endedAtMs = performance.now()
  const results = participants.map((participant) => participant.sample(endedAtMs))
  const samples = {
    clients: results.map(({ client }) => client),
    streams: results.flatMap(({ streams }) => streams),
    generator: generator(),
    interrupted: signal.aborted,
    heldMs: endedAtMs - inSinceMs,
  }
  progress.end()
  for (const participant of participants) participant.leave()
  // Those who were still on their way in notice that they have left.
  await arrivals
  for (const participant of participants) participant.leave()
  ear.close()
  return samples
}

function watchProgress(
  participants: readonly Participant[],
  onProgress: (progress: Progress) => void,
): { hold(sinceMs: number): void; end(): void } {
  const startedAtMs = performance.now()
  let inSinceMs: number | undefined
  const timer = setInterval(() => {
    const nowMs = performance.now()
    onProgress({
      elapsedMs: nowMs - startedAtMs,
      heldMs: inSinceMs === undefined ? undefined : nowMs - inSinceMs,
      clientsIn: participants.filter(({ isIn }) => isIn).length,
      clientsFailed: participants.filter(({ hasFailed }) => hasFailed).length,
      streamsFlowing: participants.reduce((sum, { streamsFlowing }) => sum + streamsFlowing, 0),
    })
  }, PROGRESS_EVERY_MS)
  return { hold: (sinceMs) => (inSinceMs = sinceMs), end: () => clearInterval(timer) }
}

function toneCache(silent: boolean): (toneHz: number) => readonly Buffer[] {
  const tones = new Map<number, readonly Buffer[]>()
  return (toneHz) => {
    const frames = tones.get(toneHz) ?? encodeTone(toneHz, { silent })
    tones.set(toneHz, frames)
    return frames
  }
}

/** Watches this process from now on; the function that it gives back ends that and tells. */
function watchGenerator(): () => GeneratorSample {
  const delay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS })
  delay.enable()
  const loop = performance.eventLoopUtilization()
  const cpu = process.cpuUsage()
  const startedAtMs = performance.now()
  return () => {
    delay.disable()
    const used = process.cpuUsage(cpu)
    const wallMs = performance.now() - startedAtMs
    return {
      loopDelayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - LOOP_DELAY_RESOLUTION_MS),
      loopUtilization: performance.eventLoopUtilization(loop).utilization,
      cpu: (used.user + used.system) / 1_000 / wallMs,
      cores: availableParallelism(),
    }
  }
}

/** Resolves after `ms` or when the run is ended early; `Infinity` waits for that alone. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = ms === Infinity ? undefined : setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
