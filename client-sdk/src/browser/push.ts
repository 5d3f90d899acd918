import type { PushSubscriptionData } from '@parley/protocol'
import { fromText, sameBytes } from '../e2ee/octets.ts'
import { CallError } from '../errors.ts'
import type { Push } from '../ports.ts'

/** What of the browser Web Push needs; read when it is used. Each may be missing. */
export interface PushGlobals {
  readonly serviceWorkers: () => ServiceWorkerContainer | undefined
  /** Asks the person; `denied` where the browser has no notifications. */
  readonly askPermission: () => Promise<NotificationPermission>
}

/** Web Push by the browser's own push service. */
export function browserPush({ serviceWorkers, askPermission }: PushGlobals): Push {
  const container = (): ServiceWorkerContainer => {
    const found = serviceWorkers()
    if (!found) throw new CallError('not-supported')
    return found
  }
  return {
    async subscribe(worker, key) {
      const workers = container()
      const applicationServerKey = bytesOf(key)
      // Browsers wake a page only for what people are shown.
      if ((await askPermission()) !== 'granted') throw new CallError('push-denied')
      try {
        const registration = typeof worker === 'string' ? await workers.register(worker) : worker
        await activeOf(registration)
        const known = await registration.pushManager.getSubscription()
        if (known && isFor(known, applicationServerKey)) return dataOf(known)
        // One that is bound to the key of another server stands in the way.
        await known?.unsubscribe()
        const options = { userVisibleOnly: true, applicationServerKey }
        return dataOf(await registration.pushManager.subscribe(options))
      } catch (cause) {
        throw cause instanceof CallError ? cause : new CallError('push-failed', { cause })
      }
    },
    async unsubscribe(key) {
      const applicationServerKey = bytesOf(key)
      for (const { pushManager } of await container().getRegistrations()) {
        const known = await pushManager.getSubscription()
        if (known && isFor(known, applicationServerKey)) await known.unsubscribe()
      }
    },
  }
}

function bytesOf(key: string) {
  const bytes = fromText(key)
  if (!bytes) throw new CallError('bad-answer')
  return bytes
}

function isFor({ options }: PushSubscription, key: Uint8Array): boolean {
  const known = options.applicationServerKey
  return known !== null && sameBytes(new Uint8Array(known), key)
}

function dataOf(subscription: PushSubscription): PushSubscriptionData {
  const { endpoint, keys } = subscription.toJSON()
  const { p256dh, auth } = keys ?? {}
  if (endpoint === undefined || p256dh === undefined || auth === undefined) {
    throw new CallError('push-failed')
  }
  return { endpoint, keys: { p256dh, auth } }
}

/** Waits until the worker runs: before that nothing can be subscribed. */
async function activeOf(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.installing ?? registration.waiting
  if (registration.active || !worker) return
  await new Promise<void>((resolve, reject) => {
    worker.addEventListener('statechange', () => {
      if (worker.state === 'activated') resolve()
      else if (worker.state === 'redundant') reject(new CallError('push-failed'))
    })
  })
}
