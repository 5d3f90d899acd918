import { launchChromium } from '../lab/browsers.ts'
import type { ToneBrowser } from '../lab/browsers.ts'
import { balance } from '../lab/balancer.ts'
import type { Balancer } from '../lab/balancer.ts'
import { Caller } from '../lab/caller.ts'
import { servePage } from '../lab/page-server.ts'
import { until } from '../lab/patience.ts'
import { RedisProcess } from '../lab/redis-process.ts'
import { freePort, ServiceProcess } from '../lab/service-process.ts'
import { openNodes } from './nodes.ts'
import type { Nodes } from './nodes.ts'

const TONES_HZ = [440, 660] as const

/** One of the two signaling processes. */
export interface Member {
  readonly process: ServiceProcess
  /** Status of one of its pages. */
  readonly status: (path: '/healthz' | '/readyz') => Promise<number>
  /** A gauge of its metrics. */
  readonly gauge: (name: string) => Promise<number>
}

/** Two signaling processes that share a Redis, a node, and a browser for each person. */
export interface Pair extends Pick<Nodes, 'sfu' | 'spare'> {
  readonly redis: RedisProcess
  readonly members: readonly [Member, Member]
  /** Opens a browser that connects to one of the two, and to the other where that one is gone. */
  arrive(user: string, first: 0 | 1, options?: object): Promise<Caller>
  /** Waits until both know each other. */
  joined(): Promise<void>
  close(): Promise<void>
}

/** `spare`: signaling knows of a second node. */
export async function openPair({ spare = false } = {}): Promise<Pair> {
  const ports = [await freePort(), await freePort()] as const
  const redis = new RedisProcess(await freePort())
  await redis.start()
  const nodes = await openNodes({ PARLEY_PUBLIC_ADDRESS: '127.0.0.1' }, { spare })
  const shared = {
    PARLEY_HOST: '127.0.0.1',
    PARLEY_DEV: '1',
    PARLEY_PUBLIC_ADDRESS: '127.0.0.1',
    PARLEY_SECRET: 'the secret of these tokens',
    ...nodes.known,
    PARLEY_REDIS_URL: redis.url,
  }
  const members = [member(shared, ports[0]), member(shared, ports[1])] as const
  for (const { process } of members) await process.start()
  const page = await servePage('127.0.0.1')
  const browsers: ToneBrowser[] = []
  const balancers: Balancer[] = []
  const pair: Pair = {
    redis,
    members,
    sfu: nodes.sfu,
    spare: nodes.spare,
    async arrive(user, first, options = {}) {
      const toneHz = TONES_HZ[browsers.length % TONES_HZ.length] ?? TONES_HZ[0]
      const browser = await launchChromium(toneHz, { secureOrigin: page.url })
      browsers.push(browser)
      const balancer = await balance(first === 0 ? ports : ports.toReversed())
      balancers.push(balancer)
      const parleyUrl = balancer.url
      return Caller.arrive(browser, { user, pageUrl: page.url, parleyUrl, options })
    },
    async joined() {
      for (const { gauge } of members) {
        await until(
          'both know each other',
          () => gauge('parley_signaling_peers'),
          (peers) => peers === 1,
        )
      }
    },
    async close() {
      for (const { browser } of browsers) await browser.close()
      for (const balancer of balancers) balancer.close()
      page.close()
      for (const { process } of members) await process.stop()
      await nodes.close()
      await redis.kill()
    },
  }
  await pair.joined()
  return pair
}

function member(env: Readonly<Record<string, string>>, port: number): Member {
  const url = `http://127.0.0.1:${port}`
  return {
    process: new ServiceProcess({
      service: 'signaling',
      env: { ...env, PARLEY_PORT: String(port) },
      ready: /signaling listens/,
    }),
    status: async (path) => (await fetch(url + path)).status,
    async gauge(name) {
      const text = await (await fetch(`${url}/metrics`)).text()
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    },
  }
}
