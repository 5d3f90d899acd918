import { launchChromium } from '../lab/browsers.ts'
import type { LaunchOptions, ToneBrowser } from '../lab/browsers.ts'
import { Caller } from '../lab/caller.ts'
import { servePage } from '../lab/page-server.ts'
import { freePort, ServiceProcess } from '../lab/service-process.ts'
import { openNodes } from './nodes.ts'
import type { Nodes } from './nodes.ts'

const FIRST_TONE_HZ = 440
const TONE_STEP_HZ = 220

/** Where browsers reach the services besides signaling. */
export interface StageOptions {
  /** The address of the node; that of signaling without. */
  readonly nodeAddress?: string
  /** Where a relay listens; there is none without. */
  readonly relay?: { readonly host: string; readonly port: number }
  /** Signaling knows of a second node. */
  readonly spare?: boolean
}

/** Services in processes of their own, each of which may die, and a browser for each person. */
export interface Stage extends Pick<Nodes, 'sfu' | 'spare'> {
  readonly signaling: ServiceProcess
  /** Opens a browser of its own and connects. */
  arrive(user: string, options?: object, launch?: LaunchOptions): Promise<Caller>
  close(): Promise<void>
}

/** Starts signaling and a node. `address`: where browsers reach them. */
export async function openStage(
  address = '127.0.0.1',
  { nodeAddress = address, relay, spare = false }: StageOptions = {},
): Promise<Stage> {
  const port = await freePort()
  const nodes = await openNodes(
    { PARLEY_PUBLIC_ADDRESS: nodeAddress, PARLEY_SFU_LISTEN: nodeAddress },
    { spare },
  )
  const shared = {
    PARLEY_HOST: '0.0.0.0',
    PARLEY_PORT: String(port),
    PARLEY_DEV: '1',
    PARLEY_PUBLIC_ADDRESS: address,
    PARLEY_SECRET: 'the secret of these tokens',
    ...nodes.known,
    ...(relay && {
      PARLEY_TURN_SECRET: 'the secret of these relays',
      PARLEY_TURN_URLS: `turn:${relay.host}:${relay.port}?transport=udp`,
      PARLEY_TURN_LISTEN: `udp://${relay.host}:${relay.port}`,
      PARLEY_TURN_RELAY_ADDRESS: relay.host,
      PARLEY_TURN_WORKERS: '1',
    }),
  }
  const turn = relay && new ServiceProcess({ service: 'turn', env: shared, ready: /listening/ })
  await turn?.start()
  const signaling = new ServiceProcess({
    service: 'signaling',
    env: shared,
    ready: /signaling listens/,
  })
  await signaling.start()
  const page = await servePage(address)
  const browsers: ToneBrowser[] = []
  return {
    signaling,
    sfu: nodes.sfu,
    spare: nodes.spare,
    async arrive(user, options = {}, launch = {}) {
      const toneHz = FIRST_TONE_HZ + browsers.length * TONE_STEP_HZ
      const browser = await launchChromium(toneHz, { secureOrigin: page.url, ...launch })
      browsers.push(browser)
      const parleyUrl = `http://${address}:${port}`
      return Caller.arrive(browser, { user, pageUrl: page.url, parleyUrl, options })
    },
    async close() {
      for (const { browser } of browsers) await browser.close()
      page.close()
      await signaling.stop()
      await nodes.close()
      await turn?.stop()
    },
  }
}
