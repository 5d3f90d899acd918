/** One worker thread of a TURN server: an engine that takes orders from the main thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { createLog } from '@parley/service'
import type { Engine } from './engine.ts'
import { startEngine } from './engine.ts'
import type { NumberedOrder, WorkerOrder, WorkerReport, WorkerStart } from './worker-messages.ts'

// The main thread starts this file with exactly this.
const { options, logLevel } = workerData as WorkerStart
const log = createLog('turn', { level: logLevel }).child({ worker: options.worker })
const report = (message: WorkerReport) => parentPort?.postMessage(message)

try {
  const engine = await startEngine(options, {
    log,
    forward: (owner, datagram) => {
      report({ type: 'stray', owner, datagram })
    },
  })
  parentPort?.on('message', ({ number, order }: NumberedOrder) => {
    const value = carryOut(engine, order)
    if (number > 0) report({ type: 'answer', number, value })
    if (order.type === 'close') parentPort?.close()
  })
  report({ type: 'listening', listeners: engine.listeners })
} catch (error) {
  report({ type: 'notStarted', message: error instanceof Error ? error.message : String(error) })
}

function carryOut(engine: Engine, order: WorkerOrder): unknown {
  switch (order.type) {
    case 'sessions':
      return engine.sessions()
    case 'endSessions':
      return engine.endSessions(order.selector)
    case 'drain':
      engine.drain(order.drain)
      return undefined
    case 'useKeys':
      engine.useKeys(order.keys)
      return undefined
    case 'takeStray':
      engine.takeStray(order.datagram)
      return undefined
    case 'close':
      engine.close()
      return undefined
  }
}
