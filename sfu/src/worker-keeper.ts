import type { Millis } from '@parley/protocol'
import { unreachable } from '@parley/protocol'
import type { Log } from '@parley/service'
import { startingWorker, workerSlot } from './core/workers.ts'
import type { WorkerEffect, WorkerEvent, WorkerSlot } from './core/workers.ts'
import type { MediaEngine } from './ports.ts'

/** Keeps a worker in each of the node's slots: watches, ends and replaces them. */
export class WorkerKeeper {
  readonly #engine: MediaEngine
  readonly #log: Log
  readonly #now: () => Millis
  readonly #slots: WorkerSlot[]
  #stopped = false

  constructor(
    count: number,
    { engine, log, now }: { engine: MediaEngine; log: Log; now: () => Millis },
  ) {
    this.#engine = engine
    this.#log = log
    this.#now = now
    this.#slots = Array.from({ length: count }, () => startingWorker)
  }

  handle(worker: number, event: WorkerEvent): void {
    const slot = this.#slots[worker]
    if (slot === undefined || this.#stopped) return
    const step = workerSlot(slot, event, this.#now())
    this.#slots[worker] = step.state
    if (step.state.phase !== slot.phase) {
      this.#log.info({ worker, phase: step.state.phase }, 'worker phase')
    }
    for (const effect of step.effects) this.#run(worker, effect)
  }

  tick(): void {
    for (const worker of this.#slots.keys()) this.handle(worker, { type: 'tick' })
  }

  /** CPU share of each running worker. */
  running(): ReadonlyMap<number, number> {
    const running = new Map<number, number>()
    for (const [worker, slot] of this.#slots.entries()) {
      if (slot.phase === 'running') running.set(worker, slot.cpu)
    }
    return running
  }

  /** Replaces no more workers. */
  stop(): void {
    this.#stopped = true
  }

  #run(worker: number, effect: WorkerEffect): void {
    switch (effect) {
      case 'start':
        void this.#engine.startWorker(worker).then((started) => {
          this.handle(worker, { type: started ? 'started' : 'startFailed' })
        })
        return
      case 'measure':
        void this.#engine.measureWorker(worker).then((usedMs) => {
          this.handle(
            worker,
            usedMs === undefined ? { type: 'unanswered' } : { type: 'measured', usedMs },
          )
        })
        return
      case 'kill':
        this.#log.error({ worker }, 'worker hangs; killing it')
        this.#engine.killWorker(worker)
        return
      default:
        unreachable(effect)
    }
  }
}
