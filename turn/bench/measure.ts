import type { Running } from './contender.ts'
import type { Flow, Generator, RunResult } from './generator.ts'
import { cpuSeconds, residentBytes } from './process-usage.ts'
import { awaitServer } from './stage.ts'
import type { Login } from './turn-session.ts'
import { TurnSession, isSuccess } from './turn-session.ts'

/** More is called loss. One in a thousand is what a busy machine loses without a server's fault. */
const MAX_LOSS = 0.001

/** A run and what it cost the server. */
export interface Sample extends RunResult {
  readonly serverCpuS: number
}

/** Runs a load through a contender. */
export function measure(
  generator: Generator,
  running: Running,
  load: {
    readonly flows: readonly Flow[]
    readonly rate: number
    readonly burst: number
    readonly seconds: number
  },
): Sample {
  const before = cpuSeconds(running.pid)
  const result = generator.run(load)
  return { ...result, serverCpuS: cpuSeconds(running.pid) - before }
}

export function lossOf({ sent, received }: RunResult): number {
  return sent === 0 ? 1 : 1 - received / sent
}

/** Received datagrams per CPU second of the server. */
export function perCpuSecond({ received, serverCpuS }: Sample): number {
  return serverCpuS === 0 ? 0 : received / serverCpuS
}

/**
 * The highest rate at which nothing is lost: doubles until something is, then halves the gap. A rate
 * has a second chance, since what else the machine does can cost a run its datagrams.
 */
export function peakRate(
  run: (rate: number) => RunResult,
  { from, steps }: { readonly from: number; readonly steps: number },
): number {
  const holds = (rate: number) => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const result = run(rate)
      const isSent = result.sent >= 0.97 * rate * result.seconds
      if (isSent && lossOf(result) <= MAX_LOSS) return true
    }
    return false
  }
  let good = 0
  let bad = from
  while (bad <= 2_000_000 && holds(bad)) {
    good = bad
    bad *= 2
  }
  for (let step = 0; step < steps && good > 0; step++) {
    const middle = Math.sqrt(good * bad)
    if (holds(middle)) good = middle
    else bad = middle
  }
  return good
}

/** What allocating cost. */
export interface AllocationSample {
  readonly perSecond: number
  readonly perCpuSecond: number
}

/**
 * Allocates and releases `count` times, from `width` new sockets at a time: challenge, Allocate, Refresh
 * to 0. As many again before, since a server that compiles itself is slow at first.
 */
export function measureAllocations(
  generator: Generator,
  running: Running & { readonly login: Login },
  { width, count }: { readonly width: number; readonly count: number },
): AllocationSample {
  let sample: AllocationSample = { perSecond: 0, perCpuSecond: 0 }
  for (let pass = 0; pass < 2; pass++) {
    const cpuBefore = cpuSeconds(running.pid)
    const startedMs = performance.now()
    let allocated = 0
    while (allocated < count) {
      const ends = newEnds(generator, running.login, width)
      const more = allocateAll(generator, running.port, ends)
      // A server that has stopped allocating is not waited for.
      if (more < width / 2) break
      allocated += more
      exchangeAll(generator, running.port, ends, (session) => session.release())
    }
    const seconds = (performance.now() - startedMs) / 1_000
    const cpuS = cpuSeconds(running.pid) - cpuBefore
    sample = { perSecond: allocated / seconds, perCpuSecond: allocated / cpuS }
  }
  return sample
}

/** Resident bytes that each of `count` idle allocations takes; they stay until they expire. */
export function measureIdleMemory(
  generator: Generator,
  running: Running & { readonly login: Login },
  count: number,
): { readonly bytes: number; readonly allocations: number } {
  awaitServer(generator, running.port)
  const chunk = 50
  const allocateChunk = () =>
    allocateAll(generator, running.port, newEnds(generator, running.login, chunk))
  // What the first ones set up for all is not theirs.
  for (let warm = 0; warm < 4; warm++) allocateChunk()
  const before = residentBytes(running.pid)
  let allocations = 0
  while (allocations < count) {
    const more = allocateChunk()
    if (more === 0) break
    allocations += more
  }
  return { bytes: (residentBytes(running.pid) - before) / allocations, allocations }
}

interface End {
  readonly socket: number
  readonly session: TurnSession
}

function newEnds(generator: Generator, login: Login, count: number): readonly End[] {
  return generator.open(count).map(({ socket }) => ({ socket, session: new TurnSession(login) }))
}

function allocateAll(generator: Generator, port: number, ends: readonly End[]): number {
  exchangeAll(generator, port, ends, (session) => session.allocate())
  return exchangeAll(generator, port, ends, (session) => session.allocate())
}

/** Sends a request from each end, then takes the answers; gives back how many are successes. */
function exchangeAll(
  generator: Generator,
  port: number,
  ends: readonly End[],
  build: (session: TurnSession) => Uint8Array,
): number {
  for (const { socket, session } of ends) generator.send(socket, build(session), port)
  let successes = 0
  for (const { socket, session } of ends) {
    const answer = generator.receive(socket, 500)
    if (answer && isSuccess(session.absorb(answer.bytes))) successes++
  }
  return successes
}
