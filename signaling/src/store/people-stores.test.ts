import type { CallId, DeviceAddress, DeviceId, Result, UserId } from '@parley/protocol'
import { limits } from '@parley/protocol'
import { createLog } from '@parley/service'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CallRecord } from '../call-record.ts'
import { RedisConnection } from '../redis/connection.ts'
import { TestRedis } from '../redis/testing.ts'
import { memoryCallRecords } from './call-records.ts'
import type { CallRecords } from './call-records.ts'
import { memoryDeviceLists } from './device-lists.ts'
import type { DeviceLists } from './device-lists.ts'
import { memoryMailbox, SEEN_DEVICES } from './mailbox.ts'
import type { Mailbox, NewMissedCall } from './mailbox.ts'
import { memoryPushSubscriptions } from './push-subscriptions.ts'
import type { PushSubscriptions } from './push-subscriptions.ts'
import { redisCallRecords } from './redis-call-records.ts'
import { redisDeviceLists } from './redis-device-lists.ts'
import { redisMailbox } from './redis-mailbox.ts'
import { redisPushSubscriptions } from './redis-push-subscriptions.ts'

const KEEP_MS = 30 * 24 * 60 * 60 * 1_000
const log = createLog('test', { level: 'silent' })

/** The stores of one process. */
interface Stores {
  readonly mailbox: Mailbox
  readonly subscriptions: PushSubscriptions
  readonly deviceLists: DeviceLists
  readonly records: CallRecords
}

interface Shelf {
  /** New stores with nothing in them. */
  empty(): Promise<Stores>
  close(): Promise<void>
}

function memoryShelf(): Promise<Shelf> {
  return Promise.resolve({
    empty: () =>
      Promise.resolve({
        mailbox: memoryMailbox(KEEP_MS),
        subscriptions: memoryPushSubscriptions(),
        deviceLists: memoryDeviceLists(),
        records: memoryCallRecords(KEEP_MS),
      }),
    close: () => Promise.resolve(),
  })
}

async function redisShelf(): Promise<Shelf> {
  const server = await TestRedis.start()
  const redis = await connect(server.url)
  return {
    empty: async () => {
      await redis.run((r) => r.flushall())
      return storesIn(redis)
    },
    close: async () => {
      redis.close()
      await server.kill()
    },
  }
}

describe.each([
  ['memory', memoryShelf],
  ['Redis', redisShelf],
])('the stores of people in %s', (_name, open) => {
  let shelf: Shelf
  let stores: Stores

  beforeAll(async () => {
    shelf = await open()
  })
  beforeEach(async () => {
    stores = await shelf.empty()
  })
  afterAll(() => shelf.close())

  describe('a mailbox', () => {
    const put = async (missed: NewMissedCall) => valueOf(await stores.mailbox.put(BOB, missed))
    const unseen = async (name: string, now = 1_000) =>
      valueOf(await stores.mailbox.unseen(BOB, device(name), now)).map(({ call }) => call)

    test('gives each device what it has not acknowledged, in order, with all that was put', async () => {
      const first = await put({ ...missed('c1', 10), payload: 'c2VhbGVk' })
      const second = await put(missed('c2', 10))
      expect(second.seq).toBeGreaterThan(first.seq)
      expect(await unseen('phone')).toEqual(['c1', 'c2'])
      valueOf(await stores.mailbox.acknowledge(BOB, device('phone'), first.seq))
      expect(await unseen('phone')).toEqual(['c2'])
      expect(await unseen('laptop')).toEqual(['c1', 'c2'])
      const all = valueOf(await stores.mailbox.unseen(BOB, device('laptop'), 1_000))
      expect(all).toEqual([first, second])
      expect(valueOf(await stores.mailbox.unseen(ALICE, device('phone'), 1_000))).toEqual([])
    })

    test('keeps the place of what is put again', async () => {
      const first = await put(missed('c1', 10))
      await put(missed('c2', 11))
      valueOf(await stores.mailbox.acknowledge(BOB, device('phone'), first.seq))
      expect(await put(missed('c1', 10))).toEqual(first)
      expect(await unseen('phone')).toEqual(['c2'])
      expect(await unseen('laptop')).toEqual(['c1', 'c2'])
    })

    test('is told nothing by an acknowledgement of the future or of the past', async () => {
      const first = await put(missed('c1', 10))
      const second = await put(missed('c2', 11))
      valueOf(await stores.mailbox.acknowledge(BOB, device('phone'), second.seq + 1))
      expect(await unseen('phone')).toEqual(['c1', 'c2'])
      valueOf(await stores.mailbox.acknowledge(BOB, device('phone'), second.seq))
      valueOf(await stores.mailbox.acknowledge(BOB, device('phone'), first.seq))
      expect(await unseen('phone')).toEqual([])
      await put(missed('c3', 12))
      expect(await unseen('phone')).toEqual(['c3'])
    })

    test('numbers calls by the clock, upwards even where clocks differ', async () => {
      const first = await put(missed('c1', 5_000))
      const second = await put(missed('c2', 3_000))
      const third = await put(missed('c3', 9_000))
      expect([first.seq, second.seq, third.seq]).toEqual([5_000, 5_001, 9_000])
    })

    test(`keeps the last ${limits.missedCalls}, and none that is too old`, async () => {
      for (let i = 1; i <= limits.missedCalls + 3; i++) await put(missed(`c${i}`, i))
      const kept = await unseen('phone')
      expect(kept).toHaveLength(limits.missedCalls)
      expect(kept[0]).toBe('c4')
      expect(await unseen('phone', KEEP_MS + 50)).toHaveLength(limits.missedCalls - 47)
      expect(await unseen('phone', KEEP_MS + 1_000)).toEqual([])
    })

    test('remembers the devices that acknowledged last', async () => {
      const { seq } = await put(missed('c1', 10))
      for (let i = 0; i <= SEEN_DEVICES; i++) {
        valueOf(await stores.mailbox.acknowledge(BOB, device(`d${i}`), seq))
      }
      expect(await unseen('d0')).toEqual(['c1'])
      expect(await unseen('d1')).toEqual([])
      expect(await unseen(`d${SEEN_DEVICES}`)).toEqual([])
    })

    test('forgets a user who is erased', async () => {
      const { seq } = await put(missed('c1', 10))
      valueOf(await stores.mailbox.acknowledge(BOB, device('phone'), seq))
      valueOf(await stores.mailbox.erase(BOB))
      expect(await unseen('phone')).toEqual([])
      await put(missed('c2', 11))
      expect(await unseen('phone')).toEqual(['c2'])
    })
  })

  describe('subscriptions', () => {
    const subscribe = async (at: DeviceAddress, endpoint: string) =>
      valueOf(await stores.subscriptions.put(at, subscription(endpoint)))
    const of = async (user: UserId) =>
      valueOf(await stores.subscriptions.of(user))
        .map((one) => `${one.device} ${one.subscription.endpoint}`)
        .sort()

    test('are one for each device, the newest', async () => {
      await subscribe(at(BOB, 'phone'), 'a')
      await subscribe(at(BOB, 'laptop'), 'b')
      await subscribe(at(BOB, 'phone'), 'c')
      expect(await of(BOB)).toEqual(['laptop b', 'phone c'])
      const [first] = valueOf(await stores.subscriptions.of(BOB))
      expect(first?.subscription.keys).toEqual(KEYS)
      await subscribe(at(ALICE, 'pc'), 'a')
      expect(await of(ALICE)).toEqual(['pc a'])
    })

    test('leave the device that had the endpoint before', async () => {
      await subscribe(at(BOB, 'phone'), 'a')
      await subscribe(at(ALICE, 'phone'), 'a')
      expect(await of(BOB)).toEqual([])
      expect(await of(ALICE)).toEqual(['phone a'])
      valueOf(await stores.subscriptions.removeEndpoint(BOB, 'a'))
      valueOf(await stores.subscriptions.remove(at(BOB, 'phone')))
      valueOf(await stores.subscriptions.erase(BOB))
      expect(await of(ALICE)).toEqual(['phone a'])
    })

    test('end by device, by endpoint, and with the user', async () => {
      for (const name of ['a', 'b', 'c']) await subscribe(at(BOB, `device-${name}`), name)
      valueOf(await stores.subscriptions.remove(at(BOB, 'device-a')))
      valueOf(await stores.subscriptions.removeEndpoint(BOB, 'b'))
      expect(await of(BOB)).toEqual(['device-c c'])
      valueOf(await stores.subscriptions.erase(BOB))
      expect(await of(BOB)).toEqual([])
    })

    test(`are of the ${limits.pushDevicesPerUser} devices that subscribed last`, async () => {
      for (let i = 0; i <= limits.pushDevicesPerUser; i++) {
        await subscribe(at(BOB, `d${i}`), `e${i}`)
      }
      const known = await of(BOB)
      expect(known).toHaveLength(limits.pushDevicesPerUser)
      expect(known).not.toContain('d0 e0')
    })
  })

  describe('device lists', () => {
    const append = async (user: UserId, length: number, ...entries: string[]) => {
      const appended = await stores.deviceLists.append(user, length, entries)
      return appended.ok ? 'ok' : appended.error.code
    }
    const of = async (user: UserId) => valueOf(await stores.deviceLists.of(user))

    test('[IDENT-2] grow by compare-and-set on their length, by all entries or none', async () => {
      expect(await of(BOB)).toEqual({ entries: [], cards: [] })
      expect(await append(BOB, 0, 'e1', 'e2')).toBe('ok')
      expect(await append(BOB, 1, 'other')).toBe('device-list-conflict')
      expect(await append(BOB, 3, 'other')).toBe('device-list-conflict')
      expect(await append(BOB, 2, 'e3')).toBe('ok')
      expect((await of(BOB)).entries).toEqual(['e1', 'e2', 'e3'])
      expect((await of(ALICE)).entries).toEqual([])
    })

    test('take the first of those who append at once', async () => {
      const writers = Array.from({ length: 8 }, (_, i) => append(BOB, 0, `w${i}`, `x${i}`))
      const outcomes = await Promise.all(writers)
      expect(outcomes.toSorted()).toEqual([...Array<string>(7).fill('device-list-conflict'), 'ok'])
      const winner = outcomes.indexOf('ok')
      expect((await of(BOB)).entries).toEqual([`w${winner}`, `x${winner}`])
    })

    test(`have ${limits.deviceEntries} entries at most`, async () => {
      const most = Array.from({ length: limits.deviceEntries - 1 }, (_, i) => `e${i}`)
      expect(await append(BOB, 0, ...most)).toBe('ok')
      expect(await append(BOB, most.length, 'a', 'b')).toBe('device-list-full')
      expect(await append(BOB, most.length, 'a')).toBe('ok')
      expect(await append(BOB, limits.deviceEntries, 'b')).toBe('device-list-full')
      expect((await of(BOB)).entries).toEqual([...most, 'a'])
    })

    test(`come with the newest card of each of ${limits.deviceCards} devices`, async () => {
      const show = async (name: string, card: string) =>
        valueOf(await stores.deviceLists.show(at(BOB, name), card))
      for (let i = 0; i < limits.deviceCards; i++) await show(`d${i}`, `c${i}`)
      await show('d0', 'again')
      await show('new', 'card')
      const { entries, cards } = await of(BOB)
      expect(entries).toEqual([])
      expect(cards).toHaveLength(limits.deviceCards)
      expect(cards[0]).toEqual({ device: 'd2', card: 'c2' })
      expect(cards.slice(-2)).toEqual([
        { device: 'd0', card: 'again' },
        { device: 'new', card: 'card' },
      ])
    })

    test('forget a user who is erased', async () => {
      await append(BOB, 0, 'e1')
      valueOf(await stores.deviceLists.show(at(BOB, 'phone'), 'c1'))
      valueOf(await stores.deviceLists.erase(BOB))
      expect(await of(BOB)).toEqual({ entries: [], cards: [] })
      expect(await append(BOB, 0, 'anew')).toBe('ok')
    })
  })

  describe('records', () => {
    const file = async (call: string, endedAt: number, ...users: UserId[]) =>
      valueOf(await stores.records.put(record(call, endedAt, users), endedAt))
    const list = async (query: { user?: UserId; before?: number; limit?: number }, now = 1_000) =>
      valueOf(await stores.records.list({ limit: 10, ...query }, now)).map(({ call }) => call)

    test('are found by their call, and listed newest first, by user and time', async () => {
      await file('c1', 100, ALICE, BOB)
      await file('c2', 200, BOB)
      await file('c3', 300, ALICE)
      const found = valueOf(await stores.records.find('c2' as CallId, 1_000))
      expect(found).toEqual(record('c2', 200, [BOB]))
      expect(valueOf(await stores.records.find('c9' as CallId, 1_000))).toBeUndefined()
      expect(await list({})).toEqual(['c3', 'c2', 'c1'])
      expect(await list({ user: ALICE })).toEqual(['c3', 'c1'])
      expect(await list({ user: BOB, before: 200 })).toEqual(['c1'])
      expect(await list({ limit: 2 })).toEqual(['c3', 'c2'])
      expect(await list({ user: CAROL })).toEqual([])
    })

    test('count those who were rung', async () => {
      const rung = { ...record('c1', 100, [ALICE]), invited: [{ user: CAROL, missed: true }] }
      valueOf(await stores.records.put(rung, 100))
      expect(await list({ user: CAROL })).toEqual(['c1'])
    })

    test('are shown no longer than they are kept', async () => {
      await file('c1', 100, ALICE)
      await file('c2', 200, ALICE)
      expect(await list({ user: ALICE }, KEEP_MS + 100)).toEqual(['c2'])
      expect(valueOf(await stores.records.find('c1' as CallId, KEEP_MS + 100))).toBeUndefined()
    })
  })
})

test(`device lists in memory are of the ${limits.deviceLists} users who were asked about last`, async () => {
  const lists = memoryDeviceLists()
  const user = (i: number) => `u${i}` as UserId
  for (let i = 0; i < limits.deviceLists; i++) await lists.append(user(i), 0, ['e'])
  await lists.of(user(0))
  await lists.append(user(limits.deviceLists), 0, ['e'])
  const entries = async (i: number) => valueOf(await lists.of(user(i))).entries
  expect([await entries(0), await entries(1), await entries(2)]).toEqual([['e'], [], ['e']])
})

describe('the stores of people in Redis', () => {
  let server: TestRedis
  let redis: RedisConnection

  beforeAll(async () => {
    server = await TestRedis.start()
    redis = await connect(server.url)
  })
  afterAll(async () => {
    redis.close()
    await server.kill()
  })

  test('let everything go in time: each key ends by itself', async () => {
    const { mailbox, subscriptions, deviceLists, records } = storesIn(redis)
    const { seq } = valueOf(await mailbox.put(BOB, missed('c1', Date.now())))
    valueOf(await mailbox.acknowledge(BOB, device('phone'), seq))
    valueOf(await subscriptions.put(at(BOB, 'phone'), subscription('a')))
    valueOf(await records.put(record('c1', Date.now(), [BOB]), Date.now()))
    valueOf(await deviceLists.show(at(BOB, 'phone'), 'c1'))
    valueOf(await deviceLists.append(BOB, 0, ['e1']))
    const keys = valueOf(await redis.run((r) => r.keys('*')))
    expect(keys.length).toBeGreaterThanOrEqual(12)
    for (const key of keys) expect(valueOf(await redis.run((r) => r.pttl(key)))).toBeGreaterThan(0)
  })

  test('keep nothing of a user who is erased', async () => {
    const { mailbox, subscriptions, deviceLists } = storesIn(redis)
    valueOf(await redis.run((r) => r.flushall()))
    valueOf(await deviceLists.show(at(BOB, 'phone'), 'c1'))
    valueOf(await deviceLists.append(BOB, 0, ['e1']))
    valueOf(await deviceLists.erase(BOB))
    const { seq } = valueOf(await mailbox.put(BOB, missed('c1', 10)))
    valueOf(await mailbox.acknowledge(BOB, device('phone'), seq))
    valueOf(await subscriptions.put(at(BOB, 'phone'), subscription('a')))
    valueOf(await subscriptions.put(at(BOB, 'phone'), subscription('b')))
    valueOf(await mailbox.erase(BOB))
    valueOf(await subscriptions.erase(BOB))
    expect(valueOf(await redis.run((r) => r.keys('*')))).toEqual([])
  })

  test('say at once that they are away, and work again when Redis is back', async () => {
    const { mailbox, subscriptions, deviceLists, records } = storesIn(redis)
    await server.kill()
    await vi.waitUntil(() => !redis.isUp, { timeout: 45_000 })
    const answers = await Promise.all([
      mailbox.put(BOB, missed('c1', 10)),
      mailbox.unseen(BOB, device('phone'), 10),
      mailbox.acknowledge(BOB, device('phone'), 10),
      mailbox.erase(BOB),
      subscriptions.put(at(BOB, 'phone'), subscription('a')),
      subscriptions.remove(at(BOB, 'phone')),
      subscriptions.removeEndpoint(BOB, 'a'),
      subscriptions.of(BOB),
      subscriptions.erase(BOB),
      deviceLists.of(BOB),
      deviceLists.append(BOB, 0, ['e1']),
      deviceLists.show(at(BOB, 'phone'), 'c1'),
      deviceLists.erase(BOB),
      records.put(record('c1', 10, [BOB]), 10),
      records.find('c1' as CallId, 10),
      records.list({ limit: 10 }, 10),
    ])
    for (const answer of answers) {
      expect(answer).toMatchObject({ error: { code: 'store-unavailable', retryable: true } })
    }
    await server.start()
    await vi.waitUntil(() => redis.isUp, { timeout: 45_000 })
    valueOf(await mailbox.put(BOB, missed('c1', 10)))
    expect(valueOf(await mailbox.unseen(BOB, device('phone'), 10))).toHaveLength(1)
  })
})

const ALICE = 'alice' as UserId
/** With what could be taken for a part of a key. */
const BOB = 'bob: x' as UserId
const CAROL = 'carol' as UserId
const KEYS = { p256dh: 'p', auth: 'a' }

const device = (name: string) => name as DeviceId
const at = (user: UserId, name: string): DeviceAddress => ({ user, device: device(name) })
const subscription = (endpoint: string) => ({ endpoint, keys: KEYS })

function missed(call: string, when: number): NewMissedCall {
  const media = { audio: true, video: false }
  return { call: call as CallId, from: ALICE, media, reason: 'no-answer', at: when }
}

function record(call: string, endedAt: number, users: readonly UserId[]): CallRecord {
  return {
    call: call as CallId,
    startedBy: ALICE,
    startedAt: 1,
    endedAt,
    reason: 'hangup',
    participants: users.map((user) => ({
      participant: `p-${user}` as CallRecord['participants'][number]['participant'],
      user,
      device: device('d'),
      joinedAt: 1,
    })),
    invited: [],
  }
}

function storesIn(redis: RedisConnection): Stores {
  return {
    mailbox: redisMailbox(redis, KEEP_MS),
    subscriptions: redisPushSubscriptions(redis),
    deviceLists: redisDeviceLists(redis),
    records: redisCallRecords(redis, KEEP_MS),
  }
}

async function connect(url: string): Promise<RedisConnection> {
  const redis = new RedisConnection({ url: new URL(url), log })
  await vi.waitUntil(() => redis.isUp, { timeout: 45_000 })
  return redis
}

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.code)
  return result.data
}
