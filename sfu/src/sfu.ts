import type {
  NodeEvent,
  NodeRequestResult,
  NodeRequestType,
  Result,
  SfuNode,
} from '@parley/protocol'
import type { Health, Log, Metrics } from '@parley/service'
import type { SfuConfig } from './config.ts'
import { Hub } from './hub.ts'
import { MediasoupEngine } from './mediasoup/engine.ts'
import { WorkerPool } from './mediasoup/workers.ts'
import type { WorkerPorts } from './mediasoup/workers.ts'
import { countOrders, gaugeHub } from './metrics.ts'

/** How often the hub looks what is due. Shorter is more exact; longer wakes the process less. */
const TICK_EVERY_MS = 250

/** The name under which the process itself gives orders. */
const IN_PROCESS = 'in-process'

/** What a node takes from its process. */
export interface SfuSurroundings {
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
}

/** A running media node. */
export interface Sfu {
  /** The door for signaling in the same process. */
  readonly node: SfuNode
  /** What takes orders; the control link is served from it. */
  readonly hub: Hub
  readonly announcedAddress: string
  /** One pair per worker, in order. */
  readonly ports: readonly WorkerPorts[]
  /** Process id of a worker, for tests that end one. */
  workerPid(worker: number): number | undefined
  /** Closes all rooms and ends the workers. */
  close(): Promise<void>
}

/** Starts the workers. Rejects with `StartError` where one of them cannot run. */
export async function startSfu(
  config: Pick<SfuConfig, 'listen' | 'firstPort' | 'workers' | 'publicAddress'>,
  { log, metrics, health }: SfuSurroundings,
): Promise<Sfu> {
  const { listen, firstPort, workers, publicAddress: announcedAddress } = config
  const pool = new WorkerPool({ listen, firstPort, announcedAddress, log })
  const engine = new MediasoupEngine(pool, log)
  const canServe = (serves: boolean) => {
    if (serves) health.ready('media workers')
    else health.notReady('media workers', 'no media worker is running')
  }
  const observer = { ...countOrders(metrics), canServe }
  const hub = new Hub({ engine, log, now: Date.now, observer, workers })
  try {
    // One by one, since each start looks at the process's signal listeners before and after.
    for (let worker = 0; worker < workers; worker++) {
      await pool.start(worker)
      hub.workerStarted(worker)
    }
  } catch (error) {
    await pool.close()
    throw error
  }
  gaugeHub(metrics, hub)
  const timer = setInterval(() => hub.tick(), TICK_EVERY_MS)
  const ports = pool.ports()
  log.info({ workers, ports, announcedAddress, listen }, 'media node ready')
  return {
    node: inProcessNode(hub, `${announcedAddress}:${ports[0]?.udp ?? 0}`),
    hub,
    announcedAddress,
    ports,
    workerPid: (worker) => pool.pid(worker),
    close: async () => {
      clearInterval(timer)
      hub.close()
      await pool.close()
    },
  }
}

function inProcessNode(hub: Hub, id: string): SfuNode {
  let listener: (event: NodeEvent) => void = () => undefined
  hub.attach(IN_PROCESS, (event) => listener(event))
  return {
    id,
    request: <T extends NodeRequestType>(type: T, data: unknown) =>
      // The hub answers each type with the result of that type.
      hub.order(IN_PROCESS, type, data) as Promise<Result<NodeRequestResult<T>>>,
    onEvent: (next) => {
      listener = next
    },
  }
}
