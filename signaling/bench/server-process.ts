/** A server under test in its own process, told what to do by its parent: `ours` or `bare`. */
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createLog, Health, listen, Metrics } from '@parley/service'
import { Server } from 'socket.io'
import { readSignalingConfig } from '../src/config.ts'
import { startSignaling } from '../src/server.ts'
import { FakeSfuNode } from '../src/testing.ts'
import { BENCH_SECRET } from './tokens.ts'
import type { Measures, ServerKind } from './server.ts'

/** Finer than the stall that counts; much finer costs time of the loop that is measured. Milliseconds. */
const STALL_RESOLUTION_MS = 5

const NANOSECONDS_PER_MS = 1_000_000

const [kind = 'ours', settings = '{}'] = process.argv.slice(2)
const delay = monitorEventLoopDelay({ resolution: STALL_RESOLUTION_MS })
let cpu = process.cpuUsage()
/** The most that this thread has computed between two looks of a timer: a stall that no other process made. */
let busiestMs = 0

process.on('message', (order) => {
  if (order === 'reset') {
    delay.reset()
    busiestMs = 0
    cpu = process.cpuUsage()
    process.send?.({})
  } else {
    process.send?.(measure(order === 'collect'))
  }
})
process.on('disconnect', () => process.exit())
process.send?.({ port: await start(kind as ServerKind) })
delay.enable()
let threadMs = threadCpuMs()
setInterval(() => {
  const now = threadCpuMs()
  busiestMs = Math.max(busiestMs, now - threadMs)
  threadMs = now
}, STALL_RESOLUTION_MS)

async function start(which: ServerKind): Promise<number> {
  if (which === 'ours') {
    const config = readSignalingConfig({
      PARLEY_HOST: '127.0.0.1',
      PARLEY_PORT: '0',
      PARLEY_SECRET: BENCH_SECRET,
      ...(JSON.parse(settings) as Record<string, string>),
    })
    const signaling = await startSignaling(config, {
      log: createLog('bench', { level: 'silent' }),
      metrics: new Metrics(),
      health: new Health(),
      nodes: [new FakeSfuNode()],
    })
    return signaling.port
  }
  const http = createServer()
  const io = new Server(http, { transports: ['websocket'], serveClient: false })
  io.on('connection', () => undefined)
  return listen(http, { host: '127.0.0.1', port: 0 }, 'bench')
}

function measure(collect: boolean): Measures {
  if (collect) for (let round = 0; round < 3; round++) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { user, system } = process.cpuUsage(cpu)
  // The histogram counts the timer's own interval into each delay.
  const stall = (nanoseconds: number) =>
    Math.max(0, nanoseconds / NANOSECONDS_PER_MS - STALL_RESOLUTION_MS)
  return {
    bytes: heapUsed + external,
    residentBytes: rss,
    cpuMs: (user + system) / 1_000,
    stallMs: stall(delay.max),
    stallP99Ms: stall(delay.percentile(99)),
    busiestMs,
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
