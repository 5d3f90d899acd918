import type { Millis, Step } from '@parley/protocol'
import { stay, unreachable } from '@parley/protocol'
import { cpuShare } from './load.ts'
import type { CpuSample } from './load.ts'

/** How often a worker is asked for its CPU time. Shorter finds a hung one sooner, at more requests. */
export const MEASURE_EVERY_MS = 2_000

/** A worker that leaves this many questions in a row unanswered hangs, and is killed. */
export const MISSES_ALLOWED = 2

/** A worker that ran this long was sound; its death says nothing about the next one. */
const SOUND_AFTER_MS = 10_000

/**
 * Delays between attempts to replace a worker that dies at once. There is no jitter: a node's
 * workers share nothing that a herd could trample. There is no end: a node without workers is
 * not ready, and comes back by itself when what was wrong (memory, a port) is mended.
 */
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 30_000

/** One of the node's places for a worker process. `failures`: replacements since it was last sound. */
export type WorkerSlot =
  | { readonly phase: 'starting'; readonly failures: number }
  | {
      readonly phase: 'running'
      readonly failures: number
      readonly since: Millis
      /** Undefined while an answer is awaited, and from the kill until the death. */
      readonly measureAt: Millis | undefined
      readonly misses: number
      readonly sample: CpuSample | undefined
      readonly cpu: number
    }
  | { readonly phase: 'waiting'; readonly failures: number; readonly retryAt: Millis }

export type WorkerEvent =
  | { readonly type: 'started' }
  | { readonly type: 'startFailed' }
  | { readonly type: 'died' }
  | { readonly type: 'measured'; readonly usedMs: number }
  | { readonly type: 'unanswered' }
  | { readonly type: 'tick' }

export type WorkerEffect = 'start' | 'measure' | 'kill'

export const startingWorker: WorkerSlot = { phase: 'starting', failures: 0 }

/** The machine. An event that makes no sense in a state changes nothing. */
export function workerSlot(
  state: WorkerSlot,
  event: WorkerEvent,
  now: Millis,
): Step<WorkerSlot, WorkerEffect> {
  switch (event.type) {
    case 'started':
      return state.phase === 'starting' ? stay(running(state.failures, now)) : stay(state)
    case 'startFailed':
      return state.phase === 'starting' ? replace(state.failures + 1, now) : stay(state)
    case 'died':
      return state.phase === 'running' ? onDied(state, now) : stay(state)
    case 'measured':
      return state.phase === 'running' ? stay(onMeasured(state, event.usedMs, now)) : stay(state)
    case 'unanswered':
      return state.phase === 'running' ? onUnanswered(state, now) : stay(state)
    case 'tick':
      return onTick(state, now)
    default:
      return unreachable(event)
  }
}

type Running = Extract<WorkerSlot, { phase: 'running' }>

function running(failures: number, now: Millis): Running {
  return {
    phase: 'running',
    failures,
    since: now,
    measureAt: now,
    misses: 0,
    sample: undefined,
    cpu: 0,
  }
}

/** The `failures`-th replacement in a row: the first comes at once, the others ever later. */
function replace(failures: number, now: Millis): Step<WorkerSlot, WorkerEffect> {
  if (failures === 1) return { state: { phase: 'starting', failures }, effects: ['start'] }
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 2), LAST_RETRY_MS)
  return stay({ phase: 'waiting', failures, retryAt: now + delayMs })
}

function onDied(state: Running, now: Millis): Step<WorkerSlot, WorkerEffect> {
  const sound = now - state.since >= SOUND_AFTER_MS
  return replace(sound ? 1 : state.failures + 1, now)
}

function onMeasured(state: Running, usedMs: number, now: Millis): WorkerSlot {
  const sample = { at: now, usedMs }
  const cpu = state.sample === undefined ? 0 : cpuShare(state.sample, sample)
  return { ...state, measureAt: now + MEASURE_EVERY_MS, misses: 0, sample, cpu }
}

function onUnanswered(state: Running, now: Millis): Step<WorkerSlot, WorkerEffect> {
  const misses = state.misses + 1
  if (misses >= MISSES_ALLOWED) {
    return { state: { ...state, misses, measureAt: undefined }, effects: ['kill'] }
  }
  return stay({ ...state, misses, measureAt: now })
}

function onTick(state: WorkerSlot, now: Millis): Step<WorkerSlot, WorkerEffect> {
  switch (state.phase) {
    case 'starting':
      return stay(state)
    case 'running':
      if (state.measureAt === undefined || now < state.measureAt) return stay(state)
      return { state: { ...state, measureAt: undefined }, effects: ['measure'] }
    case 'waiting':
      if (now < state.retryAt) return stay(state)
      return { state: { phase: 'starting', failures: state.failures }, effects: ['start'] }
    default:
      return unreachable(state)
  }
}
