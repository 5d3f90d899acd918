import type { Health, Log, Metrics } from '@parley/service'
import type { AdminServer } from './admin.ts'
import { serveAdmin } from './admin.ts'
import type { TurnConfig } from './config.ts'
import { Counters, dropReasons } from './core/counters.ts'
import type { Drain } from './core/server-state.ts'
import type { SessionSelector } from './core/sessions.ts'
import { engineKeys, engineOptions } from './engine-options.ts'
import type { FleetSession } from './fleet.ts'
import { Fleet } from './fleet.ts'
import { certificateName } from './io/tls.ts'
import type { ListenerAddress } from './setting-values.ts'
import { publishMetrics, sumOf } from './telemetry.ts'
import type { SpawnWorker } from './thread-member.ts'
import { spawnWorker } from './thread-member.ts'

const HEALTH_PART = 'turn'

/** What the process lends to the server. */
export interface TurnSources {
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  /** Starts a worker thread; for tests that end one. */
  readonly spawn?: SpawnWorker
}

/** Totals since the start. Bytes and packets are payloads, in both directions. */
export interface TurnStats {
  readonly allocations: number
  readonly packetsToPeer: number
  readonly bytesToPeer: number
  readonly packetsToClient: number
  readonly bytesToClient: number
  /** Packets that came to nothing, for whatever reason. */
  readonly dropped: number
}

/** How a server leaves: new clients are turned away at once, what is left ends at the deadline. */
export interface DrainOrder extends Drain {
  readonly deadlineMs: number
}

/** A drain that is under way; `endsAt` is epoch ms. */
export interface DrainStatus {
  readonly endsAt: number
}

/** A running TURN server. */
export interface TurnHandle {
  /** In the order of the configuration, with the ports that were bound. */
  readonly listeners: readonly ListenerAddress[]
  /** The name by which TLS clients should be told of the server; `undefined` if it has none. */
  readonly tlsName: string | undefined
  /** Where the admin API answers, if anywhere. */
  readonly adminPort: number | undefined
  stats(): TurnStats
  sessions(): Promise<readonly FleetSession[]>
  /** Ends sessions, of one worker if that is named; gives back how many. */
  endSessions(selector: SessionSelector, worker?: number): Promise<number>
  drain(order: DrainOrder): Promise<void>
  cancelDrain(): Promise<void>
  readonly drainStatus: DrainStatus | undefined
  /**
   * Takes over secrets, users, certificate and peer rules of a newly read configuration; what else
   * has changed waits for a restart. Rejects with `StartError`, and changes nothing, when certificate
   * and key do not fit.
   */
  reload(config: TurnConfig): Promise<void>
  /** Closes listeners, connections and relays; idempotent. */
  close(): Promise<void>
}

/**
 * Starts a TURN server. Rejects with `StartError`, and leaves nothing open, when a listener cannot be
 * bound or certificate and key do not fit.
 */
export async function startTurn(config: TurnConfig, sources: TurnSources): Promise<TurnHandle> {
  const { log, metrics, health, spawn = spawnWorker } = sources
  health.notReady(HEALTH_PART, 'starting')
  const workers = config.workers ?? 1
  const options = engineOptions(config, workers)
  if (config.isTlsLeftOut) {
    log.info('no TLS: set PARLEY_TURN_TLS_CERT and PARLEY_TURN_TLS_KEY to serve clients over TLS')
  }
  const fleet = await Fleet.start({ options, workers, spawn, log })
  for (const { transport, port } of fleet.listeners) log.info({ transport, port }, 'listening')
  const counters = options.memory.workers.map((own) => new Counters(own.counters))
  publishMetrics(metrics, counters)
  let drainStatus: DrainStatus | undefined
  let drainDeadline: NodeJS.Timeout | undefined
  let admin: AdminServer | undefined

  const handle: TurnHandle = {
    listeners: fleet.listeners,
    tlsName: options.keys.certificate && certificateName(options.keys.certificate),
    get adminPort() {
      return admin?.port
    },
    stats: () => statsOf(counters),
    sessions: () => fleet.sessions(),
    endSessions: (selector, worker) => fleet.endSessions(selector, worker),
    drain: async ({ deadlineMs, alternates }) => {
      clearTimeout(drainDeadline)
      drainStatus = { endsAt: Date.now() + deadlineMs }
      health.notReady(HEALTH_PART, 'draining')
      log.info({ deadlineMs }, 'draining: new clients are turned away')
      drainDeadline = setTimeout(() => {
        void fleet.endSessions({ by: 'all' }).then((ended) => {
          log.info({ ended }, 'the drain is over')
        })
      }, deadlineMs)
      await fleet.drain({ alternates })
    },
    cancelDrain: async () => {
      if (!drainStatus) return
      clearTimeout(drainDeadline)
      drainStatus = undefined
      await fleet.drain(undefined)
      health.ready(HEALTH_PART)
      log.info('the drain was cancelled: new clients are welcome')
    },
    get drainStatus() {
      return drainStatus
    },
    reload: async (next) => {
      await fleet.useKeys(engineKeys(next))
      log.info('secrets, certificate and peer rules were read again')
    },
    close: async () => {
      health.notReady(HEALTH_PART, 'stopped')
      clearTimeout(drainDeadline)
      admin?.close()
      await fleet.close()
    },
  }
  try {
    admin = config.admin && (await serveAdmin(config.admin, handle))
  } catch (error) {
    await handle.close()
    throw error
  }
  health.ready(HEALTH_PART)
  return handle
}

function statsOf(workers: readonly Counters[]): TurnStats {
  return {
    allocations: sumOf(workers, (counters) => counters.allocations),
    packetsToPeer: sumOf(workers, (counters) => counters.packetsToPeer),
    bytesToPeer: sumOf(workers, (counters) => counters.bytesToPeer),
    packetsToClient: sumOf(workers, (counters) => counters.packetsToClient),
    bytesToClient: sumOf(workers, (counters) => counters.bytesToClient),
    dropped: sumOf(workers, (counters) =>
      dropReasons.reduce((sum, reason) => sum + counters.drops(reason), 0),
    ),
  }
}
