import { formatHostPort, Health, Metrics } from '@parley/service'
import type { Environment, Log, Shutdown } from '@parley/service'
import { readSfuConfig, startSfu } from '@parley/sfu'
import { readSignalingConfig, startSignaling } from '@parley/signaling'
import { readTurnConfig, startTurn } from '@parley/turn'
import type { TurnHandle } from '@parley/turn'

/** What the embedded stack runs with; see `embeddedEnvironment` for the defaults. */
export interface AllInOneContext {
  readonly env: Environment
  readonly log: Log
  readonly shutdown: Shutdown
}

/** Where the running stack is reached. */
export interface AllInOne {
  readonly port: number
  readonly publicAddress: string
  readonly turnUrls: readonly string[]
}

/** Starts TURN, one SFU node and signaling in this process, in that order. */
export async function startAllInOne({ env, log, shutdown }: AllInOneContext): Promise<AllInOne> {
  const metrics = new Metrics()
  metrics.collectProcessMetrics()
  const health = new Health()
  const around = { metrics, health }
  // All settings are read before anything is opened, so that a bad one leaves nothing behind.
  const turnConfig = readTurnConfig(env)
  const sfuConfig = readSfuConfig(env)
  const signalingConfig = readSignalingConfig(env)
  const { publicAddress } = signalingConfig

  const turn = await startTurn(turnConfig, { ...around, log: log.child({ part: 'turn' }) })
  shutdown.add('turn', () => turn.close())
  const sfu = await startSfu(sfuConfig, { ...around, log: log.child({ part: 'sfu' }) })
  shutdown.add('sfu', () => sfu.close())
  const turnUrls = env['PARLEY_TURN_URLS'] ? signalingConfig.turnUrls : urlsOf(turn, publicAddress)
  const stunUrls = env['PARLEY_STUN_URLS']
    ? signalingConfig.stunUrls
    : stunUrlsOf(turn, publicAddress)
  const signaling = await startSignaling(
    { ...signalingConfig, turnUrls, stunUrls },
    { ...around, log: log.child({ part: 'signaling' }), nodes: [sfu.node] },
  )
  shutdown.add('signaling', () => signaling.close())
  return { port: signaling.port, publicAddress, turnUrls }
}

function urlsOf({ listeners, tlsName }: TurnHandle, host: string): readonly string[] {
  return listeners.flatMap(({ transport, port }) => {
    const address = formatHostPort({ host, port })
    const secure = `turns:${formatHostPort({ host: tlsName ?? host, port })}?transport=tcp`
    switch (transport) {
      case 'tls':
        return [secure]
      case 'auto':
        return [`turn:${address}?transport=tcp`, secure]
      default:
        return [`turn:${address}?transport=${transport}`]
    }
  })
}

function stunUrlsOf({ listeners }: TurnHandle, host: string): readonly string[] {
  return listeners
    .filter(({ transport }) => transport === 'udp')
    .map(({ port }) => `stun:${formatHostPort({ host, port })}`)
}
