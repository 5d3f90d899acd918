import { expect, it, vi } from 'vitest'
import { toText } from '../e2ee/octets.ts'
import { browserPush } from './push.ts'

const KEY = Uint8Array.of(4, 1, 2)
const OTHER_KEY = Uint8Array.of(4, 9, 9)
const KEYS = { p256dh: 'p', auth: 'a' }

it('registers the worker, waits until it runs, and subscribes with the key of the server', async () => {
  const page = fakePage()
  const installing = new FakeWorker()
  page.registration.installing = installing
  const subscribing = push(page).subscribe('/sw.js', toText(KEY))
  await vi.waitUntil(() => installing.isWatched, { timeout: 45_000 })
  expect(page.done).toEqual(['register /sw.js'])
  installing.become('activated')
  expect(await subscribing).toEqual({ endpoint: 'https://push.example.org/new', keys: KEYS })
  expect(page.done).toEqual(['register /sw.js', 'subscribe 4,1,2 visible'])
})

it('gives the subscription that there is, and ends one that is bound to the key of another server', async () => {
  const page = fakePage()
  page.known = subscription('old', KEY, page)
  expect(await push(page).subscribe(page.asRegistration(), toText(KEY))).toMatchObject({
    endpoint: 'https://push.example.org/old',
  })
  expect(page.done).toEqual([])
  page.known = subscription('other', OTHER_KEY, page)
  await push(page).subscribe(page.asRegistration(), toText(KEY))
  expect(page.done).toEqual(['unsubscribe other', 'subscribe 4,1,2 visible'])
})

it('rejects with why it cannot be', async () => {
  const page = fakePage()
  const key = toText(KEY)
  const none = browserPush({
    serviceWorkers: () => undefined,
    askPermission: () => Promise.resolve('granted'),
  })
  await expect(none.subscribe('/sw.js', key)).rejects.toMatchObject({ code: 'not-supported' })
  await expect(none.unsubscribe(key)).rejects.toMatchObject({ code: 'not-supported' })
  await expect(push(page, 'denied').subscribe('/sw.js', key)).rejects.toMatchObject({
    code: 'push-denied',
  })
  expect(page.done).toEqual([])
  page.fails = true
  await expect(push(page).subscribe('/sw.js', key)).rejects.toMatchObject({
    code: 'push-failed',
    retryable: true,
  })
  const installing = new FakeWorker()
  page.registration.installing = installing
  const broken = push(page).subscribe('/sw.js', key)
  await vi.waitUntil(() => installing.isWatched, { timeout: 45_000 })
  installing.become('redundant')
  await expect(broken).rejects.toMatchObject({ code: 'push-failed' })
})

it('ends what is subscribed for the server, and nothing else', async () => {
  const page = fakePage()
  page.known = subscription('other', OTHER_KEY, page)
  await push(page).unsubscribe(toText(KEY))
  expect(page.done).toEqual([])
  page.known = subscription('ours', KEY, page)
  await push(page).unsubscribe(toText(KEY))
  expect(page.done).toEqual(['unsubscribe ours'])
})

/** A worker that changes its state when the test says so. */
class FakeWorker {
  state = 'installing'
  #changed: (() => void) | undefined

  get isWatched(): boolean {
    return this.#changed !== undefined
  }

  addEventListener(_name: string, listener: () => void): void {
    this.#changed = listener
  }

  become(state: string): void {
    this.state = state
    this.#changed?.()
  }
}

interface FakePage {
  readonly done: string[]
  readonly registration: { installing: FakeWorker | undefined; active: object | undefined }
  known: object | null
  fails: boolean
  asRegistration(): ServiceWorkerRegistration
}

/** The part of a page that push uses, without its push service. */
function fakePage(): FakePage {
  const registration = {
    installing: undefined as FakeWorker | undefined,
    active: undefined,
    pushManager: {
      getSubscription: () => Promise.resolve(page.known),
      subscribe: ({ userVisibleOnly, applicationServerKey }: PushSubscriptionOptionsInit) => {
        if (page.fails) return Promise.reject(new Error('no push service'))
        // The adapter gives bytes.
        const key = (applicationServerKey as Uint8Array).join()
        page.done.push(`subscribe ${key} ${userVisibleOnly ? 'visible' : ''}`)
        return Promise.resolve(subscription('new', KEY, page))
      },
    },
  }
  const page: FakePage = {
    done: [],
    registration,
    known: null,
    fails: false,
    // What of one is used.
    asRegistration: () => registration as unknown as ServiceWorkerRegistration,
  }
  return page
}

function subscription(name: string, key: Uint8Array, page: FakePage) {
  return {
    options: { applicationServerKey: key.slice().buffer },
    toJSON: () => ({ endpoint: `https://push.example.org/${name}`, keys: KEYS }),
    unsubscribe: () => {
      page.done.push(`unsubscribe ${name}`)
      return Promise.resolve(true)
    },
  }
}

function push(page: FakePage, permission: NotificationPermission = 'granted') {
  const workers = {
    register: (url: string) => {
      page.done.push(`register ${url}`)
      return Promise.resolve(page.asRegistration())
    },
    getRegistrations: () => Promise.resolve([page.asRegistration()]),
  }
  return browserPush({
    // What of them is used.
    serviceWorkers: () => workers as unknown as ServiceWorkerContainer,
    askPermission: () => Promise.resolve(permission),
  })
}
