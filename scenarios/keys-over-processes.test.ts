import { KeyDevice } from '@parley/client-sdk/key-device'
import { afterEach, describe, expect, test } from 'vitest'
import { balance } from './lab/balancer.ts'
import { until } from './lab/patience.ts'
import { RedisProcess } from './lab/redis-process.ts'
import { freePort, ServiceProcess } from './lab/service-process.ts'

const open: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

/** A signaling process on a port of its own, without nodes: nobody sends media here. */
async function process(redisUrl?: string) {
  const port = await freePort()
  const env = {
    PARLEY_PORT: String(port),
    PARLEY_DEV: '1',
    PARLEY_SECRET: 'the secret of these tokens',
    ...(redisUrl !== undefined && { PARLEY_REDIS_URL: redisUrl }),
  }
  const service = new ServiceProcess({ service: 'signaling', env, ready: /signaling listens/ })
  await service.start()
  open.push({ close: () => service.stop() })
  return { service, port, url: `http://127.0.0.1:${port}` }
}

async function person(url: string, user: string): Promise<KeyDevice> {
  const device = new KeyDevice(url, user)
  open.push(device)
  await until(
    `${user} is known by a key`,
    () => Promise.resolve(device.identity.self?.device),
    (id) => id !== undefined,
  )
  return device
}

/** Waits until all have the same keys, which nobody had at `before`. */
function agreed(people: readonly KeyDevice[], before?: string): Promise<string | undefined> {
  return until(
    'all have the same keys',
    () => Promise.resolve(people.map(({ code }) => code)),
    (codes) => codes[0] !== undefined && codes[0] !== before && new Set(codes).size === 1,
  ).then(([code]) => code)
}

function alarmsOf(people: readonly KeyDevice[]) {
  return people.flatMap(({ alarms }) => alarms)
}

describe('the keys of a call', () => {
  test('[GROUP-7] go on when the process that held it is killed, and let people in at its heir', async () => {
    const redis = new RedisProcess(await freePort())
    await redis.start()
    open.push({ close: () => redis.kill() })
    const [owner, heir] = [await process(redis.url), await process(redis.url)]
    const either = await balance([owner.port, heir.port])
    open.push(either)
    const alice = await person(either.url, 'alice')
    await alice.join('keys')
    const bob = await person(heir.url, 'bob')
    const carol = await person(heir.url, 'carol')
    for (const one of [bob, carol]) await one.join('keys')
    const people = [alice, bob, carol]
    const before = await agreed(people)
    await owner.service.kill()
    // One whom the dead process never saw.
    const dave = await person(heir.url, 'dave')
    await until(
      'the others have found their seats again',
      () => Promise.resolve(people.map(({ sessions }) => sessions)),
      (sessions) => sessions.every((count) => count >= 2),
    )
    await dave.join('keys')
    await agreed([...people, dave], before)
    // Who is in the group is looked at a moment after that.
    await until(
      'dave knows the others',
      () => dave.states,
      (states) => ['alice', 'bob', 'carol'].every((user) => states[user] === 'new'),
    )
    expect(alarmsOf([...people, dave])).toEqual([])
  })

  test('[GROUP-7, IDENT-7] go on when the only process is started anew, and everybody is known again', async () => {
    const only = await process()
    const people = [await person(only.url, 'alice'), await person(only.url, 'bob')]
    for (const one of people) await one.join('keys')
    const before = await agreed(people)
    await only.service.kill()
    await only.service.start()
    const carol = await person(only.url, 'carol')
    await until(
      'they have found their seats again',
      () => Promise.resolve(people.map(({ sessions }) => sessions)),
      (sessions) => sessions.every((count) => count >= 2),
    )
    await carol.join('keys')
    await agreed([...people, carol], before)
    await until(
      'both are known to the server again',
      () => people.map(({ identity }) => identity.self?.state),
      (states) => states.every((state) => state === 'approved'),
    )
    expect(alarmsOf([...people, carol])).toEqual([])
  })
})
