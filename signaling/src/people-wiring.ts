import { setTimeout as wait } from 'node:timers/promises'
import { ok } from '@parley/protocol'
import type { Result, UserId } from '@parley/protocol'
import type { Log, Metrics } from '@parley/service'
import type { SignalingConfig } from './config.ts'
import { CallReporter } from './call-reporter.ts'
import { Outbound } from './outbound/post.ts'
import { Webhooks } from './outbound/webhooks.ts'
import type { PeopleOptions } from './people.ts'
import type { Environment } from './ports.ts'
import type { RedisConnection } from './redis/connection.ts'
import { memoryCallRecords } from './store/call-records.ts'
import type { CallRecords } from './store/call-records.ts'
import { memoryDeviceLists } from './store/device-lists.ts'
import type { DeviceLists } from './store/device-lists.ts'
import { memoryMailbox } from './store/mailbox.ts'
import type { Mailbox } from './store/mailbox.ts'
import { memoryPushSubscriptions } from './store/push-subscriptions.ts'
import type { PushSubscriptions } from './store/push-subscriptions.ts'
import { redisCallRecords } from './store/redis-call-records.ts'
import { redisDeviceLists } from './store/redis-device-lists.ts'
import { redisMailbox } from './store/redis-mailbox.ts'
import { redisPushSubscriptions } from './store/redis-push-subscriptions.ts'
import { newPushKey, VapidKey } from './wake/vapid.ts'
import { Wakes } from './wake/wakes.ts'
import { WebPush } from './wake/web-push.ts'

const DAY_S = 24 * 60 * 60

/** Push services check its form, and write to it when something is wrong. */
const DEVELOPMENT_SUBJECT = 'mailto:developer@localhost.localdomain'

/** What the wiring is given. */
export interface PeopleContext {
  readonly log: Log
  readonly metrics: Metrics
  readonly env: Environment
  /** Where what must outlive the process is kept; in memory without. */
  readonly redis: RedisConnection | undefined
}

/** What has been opened. */
export interface OpenPeople {
  readonly options: PeopleOptions
  readonly reporter: CallReporter
  readonly records: CallRecords
  erase(user: UserId): Promise<Result<void>>
  close(): Promise<void>
}

/** Opens what the settings say about people who are not there. */
export function openPeople(
  config: SignalingConfig,
  { log, metrics, env, redis }: PeopleContext,
): OpenPeople {
  const outbound = new Outbound()
  const { mailbox, subscriptions, deviceLists, records } = openStores(config, redis)
  const keepS = config.mailboxDays * DAY_S
  const key = vapidKey(config)
  if (!key)
    log.info('PARLEY_PUSH_PRIVATE_KEY is not set: browsers are not woken; see npm run push-key')
  const now = () => env.now()
  const allowPrivate = config.pushAllowPrivate || config.dev
  const webPush = key && new WebPush({ key, outbound, now, allowPrivate, wait: (ms) => wait(ms) })
  const sent = metrics.counter('parley_signaling_wakes_total', 'Wake-ups and their outcome.', [
    'way',
    'outcome',
  ])
  const { wakeUrl: url, wakeSecrets: secrets } = config
  const waker = new Wakes({
    log,
    now,
    outbound,
    subscriptions,
    webPush,
    gateway: url && { url, secrets },
    missedTtlS: keepS,
    count: (way, outcome) => sent.inc({ way, outcome }),
  })
  const webhooks = openWebhooks(config, { outbound, log, metrics, env, redis })
  const reporter = new CallReporter({ log, records, tellApp: (event) => webhooks?.send(event) })
  return {
    reporter,
    records,
    options: {
      mailbox,
      subscriptions,
      deviceLists,
      waker,
      webPush,
      onMissed: (user, missed) => reporter.missed(user, missed),
    },
    erase: async (user) => {
      const stores = [mailbox, subscriptions, deviceLists]
      const erased = await Promise.all(stores.map((store) => store.erase(user)))
      return erased.find((one) => !one.ok) ?? ok(undefined)
    },
    close: async () => {
      await webhooks?.close()
      outbound.close()
    },
  }
}

function openStores(
  { mailboxDays, recordsDays }: SignalingConfig,
  redis: RedisConnection | undefined,
): {
  readonly mailbox: Mailbox
  readonly subscriptions: PushSubscriptions
  readonly deviceLists: DeviceLists
  readonly records: CallRecords
} {
  const missedMs = mailboxDays * DAY_S * 1_000
  const recordsMs = recordsDays * DAY_S * 1_000
  if (!redis) {
    return {
      mailbox: memoryMailbox(missedMs),
      subscriptions: memoryPushSubscriptions(),
      deviceLists: memoryDeviceLists(),
      records: memoryCallRecords(recordsMs),
    }
  }
  return {
    mailbox: redisMailbox(redis, missedMs),
    subscriptions: redisPushSubscriptions(redis),
    deviceLists: redisDeviceLists(redis),
    records: redisCallRecords(redis, recordsMs),
  }
}

function openWebhooks(
  { webhookUrl: url, webhookSecrets: secrets }: SignalingConfig,
  { outbound, log, metrics, env }: PeopleContext & { readonly outbound: Outbound },
): Webhooks | undefined {
  if (!url) return undefined
  const told = metrics.counter('parley_signaling_webhooks_total', 'Webhooks and their outcome.', [
    'outcome',
  ])
  return new Webhooks({
    ...{ url, secrets, outbound, log },
    now: () => env.now(),
    random01: () => Math.random(),
    newId: () => env.randomId(16),
    count: (outcome) => told.inc({ outcome }),
  })
}

function vapidKey({ pushPrivateKey, pushSubject, dev }: SignalingConfig): VapidKey | undefined {
  const key = pushPrivateKey?.reveal() ?? (dev ? newPushKey() : undefined)
  return key === undefined ? undefined : new VapidKey(key, pushSubject ?? DEVELOPMENT_SUBJECT)
}
