import { randomUUID } from 'node:crypto'
import type { DeviceId, Invitation, Millis, MissedCall, UserId } from '@parley/protocol'
import type { Log, Secret } from '@parley/service'
import type { Outbound } from '../outbound/post.ts'
import { signatureHeaders } from '../outbound/signature.ts'
import type { Waker, WakeRing } from '../ports.ts'
import type { NewMissedCall } from '../store/mailbox.ts'
import type { PushSubscriptions } from '../store/push-subscriptions.ts'
import type { PushMessage, PushOutcome, WebPush } from './web-push.ts'

/** The app's own gateway to the push services of phones. */
export interface WakeGateway {
  readonly url: URL
  readonly secrets: readonly Secret[]
}

/** What waking needs. */
export interface WakesOptions {
  readonly log: Log
  readonly now: () => Millis
  readonly outbound: Outbound
  readonly subscriptions: PushSubscriptions
  /** `undefined` where Web Push is off. */
  readonly webPush: WebPush | undefined
  readonly gateway: WakeGateway | undefined
  /** How long a push service keeps the word of a missed call. */
  readonly missedTtlS: number
  readonly count: (way: 'web-push' | 'gateway', outcome: PushOutcome) => void
}

/** Messages under way at once; a flood of rings is not passed on beyond that. */
const MOST_UNDER_WAY = 1_000

/** Reaches people whose devices are asleep: by Web Push, and through the app's own gateway. */
export class Wakes implements Waker {
  readonly #options: WakesOptions
  #underWay = 0

  constructor(options: WakesOptions) {
    this.#options = options
  }

  async wakeable(users: readonly UserId[]): Promise<ReadonlySet<UserId>> {
    const { gateway, webPush, subscriptions, log } = this.#options
    // Only the gateway knows who has a phone; it says so when it is asked.
    if (gateway) return new Set(users)
    if (!webPush) return new Set()
    const known = await Promise.all(users.map((user) => subscriptions.of(user)))
    if (known.some(({ ok }) => !ok)) log.warn('push subscriptions could not be read')
    return new Set(
      users.filter((_, index) => {
        const found = known[index]
        return found?.ok === true && found.data.length > 0
      }),
    )
  }

  async wake(ring: WakeRing, except: readonly DeviceId[]): Promise<boolean> {
    const { call, user, invitation, deadline } = ring
    const { from, media, payload } = wordsOf(invitation)
    const data = { type: 'call', call, user, from, media, payload, expiresAt: deadline }
    const ttlS = (deadline - this.#options.now()) / 1_000
    return this.#reach(user, { data, ttlS, urgency: 'high', about: call }, except)
  }

  async tellMissed(
    user: UserId,
    missed: NewMissedCall | MissedCall,
    except: readonly DeviceId[],
  ): Promise<void> {
    const { call, from, media, payload, reason, at } = missed
    const data = { type: 'missed', call, user, from, media, payload, reason, at }
    const ttlS = this.#options.missedTtlS
    await this.#reach(user, { data, ttlS, urgency: 'normal', about: call }, except)
  }

  /** Whether anything has taken the message. */
  async #reach(user: UserId, message: PushMessage, except: readonly DeviceId[]): Promise<boolean> {
    const { log } = this.#options
    if (this.#underWay >= MOST_UNDER_WAY) {
      log.warn('too many wake-ups are under way; one is left out')
      return false
    }
    this.#underWay += 1
    try {
      const taken = await Promise.all([
        this.#viaWebPush(user, message, except),
        this.#viaGateway(message),
      ])
      return taken.includes(true)
    } catch (error) {
      log.warn({ err: error }, 'a wake-up failed')
      return false
    } finally {
      this.#underWay -= 1
    }
  }

  async #viaWebPush(
    user: UserId,
    message: PushMessage,
    except: readonly DeviceId[],
  ): Promise<boolean> {
    const { webPush, subscriptions, count } = this.#options
    if (!webPush) return false
    const known = await subscriptions.of(user)
    if (!known.ok) return false
    const asleep = known.data.filter(({ device }) => !except.includes(device))
    const outcomes = await Promise.all(
      asleep.map(async ({ subscription }) => {
        const outcome = await webPush.send(subscription, message)
        count('web-push', outcome)
        if (outcome === 'gone') await subscriptions.removeEndpoint(user, subscription.endpoint)
        return outcome
      }),
    )
    return outcomes.includes('sent')
  }

  async #viaGateway({ data }: PushMessage): Promise<boolean> {
    const { gateway, outbound, now, count } = this.#options
    if (!gateway) return false
    const body = JSON.stringify(data)
    const timestampS = Math.floor(now() / 1_000)
    const headers = {
      'content-type': 'application/json',
      ...signatureHeaders(gateway.secrets, { id: `wake_${randomUUID()}`, timestampS, body }),
    }
    const outcome = await outbound
      .post({ url: gateway.url, headers, body, publicOnly: false })
      .then(({ status }): PushOutcome => (status >= 200 && status < 300 ? 'sent' : refusal(status)))
      .catch((): PushOutcome => 'failed')
    count('gateway', outcome)
    return outcome === 'sent'
  }
}

function refusal(status: number): PushOutcome {
  return status === 404 || status === 410 ? 'gone' : 'failed'
}

function wordsOf({ by, media, payload }: Invitation) {
  return { from: by, media, payload }
}

/** Nobody can be woken: neither Web Push nor a gateway is set up. */
export const noWaker: Waker = {
  wakeable: () => Promise.resolve(new Set()),
  wake: () => Promise.resolve(false),
  tellMissed: () => Promise.resolve(),
}
