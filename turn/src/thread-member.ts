import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { StartError } from '@parley/service'
import type { Session } from './core/sessions.ts'
import type { FleetMember } from './fleet-member.ts'
import type { StrayDatagram } from './ports.ts'
import type { NumberedOrder, WorkerOrder, WorkerReport, WorkerStart } from './worker-messages.ts'

/** How long a thread that was closed may take to end by itself, which it does in some milliseconds. */
const END_PATIENCE_MS = 2_000

/**
 * Each thread strips types by WebAssembly, whose machine code all threads share; the V8 of Node 24 can
 * free some of it while another thread is about to use it, and then ends the process ("Check failed:
 * jit_page.has_value()"; nodejs/node issue 64500). Kept, it is a few MiB.
 */
const KEEP_WASM_CODE = '--no-wasm-code-gc'

/** Starts a worker thread; tests keep hold of what it gives. */
export type SpawnWorker = (start: WorkerStart) => Worker

/** Starts the thread that `worker.ts` describes. */
export function spawnWorker(start: WorkerStart): Worker {
  setFlagsFromString(KEEP_WASM_CODE)
  return new Worker(new URL(import.meta.resolve('./worker.ts')), { workerData: start })
}

/**
 * Starts an engine in a thread of its own. `onDeath` is called once if the thread ends without having
 * been closed. Rejects with `StartError` when it cannot listen.
 */
export async function startThreadMember(
  start: WorkerStart,
  {
    spawn,
    onDeath,
    onStray,
  }: {
    readonly spawn: SpawnWorker
    readonly onDeath: (error: unknown) => void
    /** Called for a datagram that another worker should have. */
    readonly onStray: (owner: number, datagram: StrayDatagram) => void
  },
): Promise<FleetMember> {
  const worker = spawn(start)
  const waiting = new Map<number, (value: unknown) => void>()
  let lastNumber = 0
  let isGone = false
  let isClosing = false
  let death: unknown

  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const listening = Promise.withResolvers<Extract<WorkerReport, { type: 'listening' }>>()
  let hasStarted = false
  worker.on('message', (report: WorkerReport) => {
    if (report.type === 'listening') {
      hasStarted = true
      listening.resolve(report)
    } else if (report.type === 'notStarted') {
      listening.reject(new StartError(report.message))
    } else if (report.type === 'stray') {
      onStray(report.owner, report.datagram)
    } else {
      waiting.get(report.number)?.(report.value)
      waiting.delete(report.number)
    }
  })
  worker.on('error', (error) => {
    death = error
  })
  worker.once('exit', () => {
    isGone = true
    listening.reject(death ?? new Error('a worker thread ended before it listened'))
    for (const answer of waiting.values()) answer(undefined)
    waiting.clear()
    if (hasStarted && !isClosing) onDeath(death)
  })
  /** `undefined` from a thread that dies before it answers. */
  const ask = (order: WorkerOrder): Promise<unknown> => {
    if (isGone) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const numbered: NumberedOrder = { number: ++lastNumber, order }
      waiting.set(numbered.number, resolve)
      worker.postMessage(numbered)
    })
  }
  const { listeners } = await listening.promise
  return {
    listeners,
    // The other side answers each order with what its engine gives.
    sessions: async () => ((await ask({ type: 'sessions' })) ?? []) as readonly Session[],
    endSessions: async (selector) => Number((await ask({ type: 'endSessions', selector })) ?? 0),
    drain: async (drain) => {
      await ask({ type: 'drain', drain })
    },
    useKeys: async (keys) => {
      await ask({ type: 'useKeys', keys })
    },
    takeStray: (datagram) => {
      const numbered: NumberedOrder = { number: 0, order: { type: 'takeStray', datagram } }
      if (!isGone) worker.postMessage(numbered)
    },
    close: async () => {
      isClosing = true
      await ask({ type: 'close' })
      const timer = setTimeout(() => void worker.terminate(), END_PATIENCE_MS)
      await gone
      clearTimeout(timer)
    },
  }
}
