import { launchChromium } from '../lab/browsers.ts'
import type { LaunchOptions, ToneBrowser } from '../lab/browsers.ts'
import { Caller } from '../lab/caller.ts'
import { servePage } from '../lab/page-server.ts'
import { freePort, ServiceProcess } from '../lab/service-process.ts'

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
export interface Stage {
  readonly signaling: ServiceProcess
  readonly sfu: ServiceProcess
  /** A second node, which has not been started. */
  readonly spare: ServiceProcess
  /** Opens a browser of its own and connects. */
  arrive(user: string, options?: object, launch?: LaunchOptions): Promise<Caller>
  close(): Promise<void>
}

/** Starts signaling and a node. `address`: where browsers reach them. */
export async function openStage(
  address = '127.0.0.1',
  { nodeAddress = address, relay, spare: withSpare = false }: StageOptions = {},
): Promise<Stage> {
  const [port, control, media] = [await freePort(), await freePort(), await freePort()]
  const [spareControl, spareMedia] = [await freePort(), await freePort()]
  const controls = [control, ...(withSpare ? [spareControl] : [])]
  const shared = {
    PARLEY_HOST: '0.0.0.0',
    PARLEY_PORT: String(port),
    PARLEY_DEV: '1',
    PARLEY_PUBLIC_ADDRESS: address,
    PARLEY_SECRET: 'the secret of these tokens',
    PARLEY_SFU_SECRET: 'the secret of these nodes',
    PARLEY_SFU_NODES: controls.map((one) => `127.0.0.1:${one}`).join(),
    PARLEY_SFU_CONTROL: `127.0.0.1:${control}`,
    PARLEY_SFU_PORT: String(media),
    PARLEY_SFU_WORKERS: '1',
    ...(relay && {
      PARLEY_TURN_SECRET: 'the secret of these relays',
      PARLEY_TURN_URLS: `turn:${relay.host}:${relay.port}?transport=udp`,
      PARLEY_TURN_LISTEN: `udp://${relay.host}:${relay.port}`,
      PARLEY_TURN_RELAY_ADDRESS: relay.host,
      PARLEY_TURN_WORKERS: '1',
    }),
  }
  const sfuEnv = { ...shared, PARLEY_PUBLIC_ADDRESS: nodeAddress, PARLEY_SFU_LISTEN: nodeAddress }
  const node = (env: Readonly<Record<string, string>>) =>
    new ServiceProcess({ service: 'sfu', env: { ...sfuEnv, ...env }, ready: /control link open/ })
  const sfu = node({})
  await sfu.start()
  const spare = node({
    PARLEY_SFU_CONTROL: `127.0.0.1:${spareControl}`,
    PARLEY_SFU_PORT: String(spareMedia),
  })
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
    sfu,
    spare,
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
      await sfu.stop()
      await spare.stop()
      await turn?.stop()
    },
  }
}
