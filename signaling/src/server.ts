import { randomBytes } from 'node:crypto'
import type { SfuNode, UserId } from '@parley/protocol'
import { listen, StartError } from '@parley/service'
import type { Health, Log, Metrics } from '@parley/service'
import { jwksVerifier, secretVerifier } from './auth/tokens.ts'
import { clusterByRedis } from './cluster/link.ts'
import type { SignalingConfig } from './config.ts'
import { ticketSeal } from './core/ticket.ts'
import { createAdminServer, createHttpServer } from './http/server.ts'
import { Hub } from './hub.ts'
import type { RequestObserver } from './hub-options.ts'
import { iceConfig } from './ice.ts'
import { Media } from './media.ts'
import { openPeople } from './people-wiring.ts'
import { RedisConnection } from './redis/connection.ts'
import { observeRedis, reportRedis } from './redis/metrics.ts'
import { FrontGate } from './socketio/front-gate.ts'
import { attachSocketServer } from './socketio/server.ts'
import { watchStalls } from './stall-watch.ts'
import { redisRevocations } from './store/revocation-feed.ts'
import { SystemEnvironment } from './system-environment.ts'

/** What the process around signaling gives it. */
export interface SignalingContext {
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  /** The SFU nodes: in this process or behind a control link. */
  readonly nodes: readonly SfuNode[]
}

/** A running signaling service. */
export interface Signaling {
  readonly port: number
  /** Where the admin API is, if it has an address of its own. */
  readonly adminPort: number | undefined
  close(): Promise<void>
}

/** Starts signaling. Rejects with `StartError` when it cannot listen. */
export async function startSignaling(
  config: SignalingConfig,
  { log, metrics, health, nodes }: SignalingContext,
): Promise<Signaling> {
  const env = new SystemEnvironment(() => hub.tick())
  const media = new Media({ log, nodes })
  const redis = config.redisUrl && connectRedis(config.redisUrl, { log, metrics, health })
  const [turnSecret] = config.turnSecrets
  const people = openPeople(config, { log, metrics, env, redis })
  const hub = new Hub({
    env,
    people: people.options,
    onFact: (fact) => people.reporter.note(fact),
    log,
    media,
    seal: ticketSeal(ticketSecret(config, log)),
    ...(redis && {
      cluster: clusterByRedis(redis, { log }),
      revocations: redisRevocations(redis),
    }),
    verifier: verifierOf(config),
    ringTimeoutMs: config.ringTimeoutS * 1_000,
    iceConfigFor: (user) =>
      iceConfig(
        { user, stunUrls: config.stunUrls, turnUrls: config.turnUrls, secret: turnSecret },
        env.now(),
      ),
    onRequest: observeRequests(metrics),
  })
  observeHub(metrics, hub)
  const stopStallWatch = watchStalls(metrics)
  if (!turnSecret) log.warn('PARLEY_TURN_SECRET is not set: clients get no TURN relay')
  if (nodes.length === 0) log.warn('PARLEY_SFU_NODES is empty: calls of three or more cannot work')
  const { adminSecret: secret, adminListen } = config
  const admin = secret && {
    ...{ secret, hub: hub.admin, reporter: people.reporter, records: people.records },
    erase: (user: UserId) => people.erase(user),
    now: () => env.now(),
  }
  const adminServer = admin && adminListen && createAdminServer(admin, log)
  const adminPort = adminServer && (await listen(adminServer, adminListen, 'PARLEY_ADMIN_LISTEN'))
  const http = createHttpServer({
    admin: adminServer ? undefined : admin,
    operations: { metrics, health },
    webRoot: config.webRoot,
    devSecret: config.dev ? config.secrets[0] : undefined,
    log,
  })
  const io = attachSocketServer(http, {
    hub,
    log,
    gate: new FrontGate({ ...config, now: () => env.now() }),
    livenessMs: config.livenessS * 1_000,
    onRefused: refusalCounter(metrics),
    randomId: (bytes) => env.randomId(bytes),
  })
  const port = await listen(http, config, 'PARLEY_PORT')
  log.info({ port, dev: config.dev, nodes: nodes.length }, 'signaling listens')
  return {
    port,
    adminPort,
    async close() {
      stopStallWatch()
      await hub.stop()
      media.stop()
      await people.close()
      adminServer?.close()
      adminServer?.closeAllConnections()
      await io.close()
      redis?.close()
    },
  }
}

function connectRedis(
  url: URL,
  { log, metrics, health }: Pick<SignalingContext, 'log' | 'metrics' | 'health'>,
): RedisConnection {
  const redis = new RedisConnection({ url, log, observer: observeRedis(metrics) })
  reportRedis(redis, health)
  return redis
}

/** The first secret that there is; without one, tickets are worth nothing after a restart. */
function ticketSecret({ secrets, sfuSecret, turnSecrets }: SignalingConfig, log: Log): string {
  const shared = secrets[0] ?? sfuSecret ?? turnSecrets[0]
  if (shared) return shared.reveal()
  log.warn('no secret is set (PARLEY_SFU_SECRET, PARLEY_TURN_SECRET): a restart ends all calls')
  return randomBytes(32).toString('base64url')
}

function verifierOf({ secrets, jwksUrl }: SignalingConfig) {
  if (secrets.length > 0) return secretVerifier(secrets)
  if (jwksUrl) return jwksVerifier(jwksUrl)
  throw new StartError('Set PARLEY_SECRET or PARLEY_JWKS_URL, so that tokens can be verified.')
}

function observeRequests(metrics: Metrics): RequestObserver {
  const seconds = metrics.histogram(
    'parley_signaling_request_seconds',
    'Time to answer a request.',
    {
      labelNames: ['type', 'outcome'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 8],
    },
  )
  return (type, outcome, value) => seconds.observe({ type, outcome }, value)
}

function observeHub(metrics: Metrics, hub: Hub): void {
  metrics.gauge('parley_signaling_peers', 'Other signaling processes that this one knows.', {
    collect: (gauge) => gauge.set(hub.stats().peers),
  })
  metrics.gauge('parley_signaling_sessions', 'Sessions, connected or waiting for their socket.', {
    collect: (gauge) => gauge.set(hub.stats().sessions),
  })
  metrics.gauge('parley_signaling_calls', 'Running calls and rooms.', {
    collect: (gauge) => gauge.set(hub.stats().calls),
  })
}

function refusalCounter(metrics: Metrics): (reason: string) => void {
  const refused = metrics.counter(
    'parley_signaling_refused_total',
    'Connections and messages refused by a limit.',
    ['reason'],
  )
  return (reason) => refused.inc({ reason })
}
