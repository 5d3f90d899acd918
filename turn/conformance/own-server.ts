import { Health, Metrics, createLog } from '@parley/service'
import { CertificateFolder } from '../scenarios/certificates.ts'
import { readTurnConfig, startTurn } from '../src/index.ts'
import { restLogin, signed } from './rest-login.ts'
import type { Subject } from './trial.ts'
import { ANYBODY } from './trial.ts'

const SECRETS = { newest: 'the newest secret', older: 'an older secret', unknown: 'a guess' }
const USER_QUOTA = 4

/** Our server on loopback, with a quota that is small enough to try. */
export async function startOwn(path: 'pure' | 'batched' | 'auto' = 'auto'): Promise<Subject> {
  const certificates = new CertificateFolder()
  certificates.make('turn')
  const listeners = ['127.0.0.1', '[::1]'].flatMap((host) =>
    ['udp', 'tcp', 'tls'].map((kind) => `${kind}://${host}:0`),
  )
  const config = readTurnConfig({
    PARLEY_TURN_LISTEN: listeners.join(','),
    PARLEY_TURN_TLS_CERT: certificates.file('turn.crt'),
    PARLEY_TURN_TLS_KEY: certificates.file('turn.key'),
    PARLEY_TURN_SECRET: `${SECRETS.newest},${SECRETS.older}`,
    PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1,::1',
    PARLEY_TURN_ALLOW_PEERS: '127.0.0.0/8',
    PARLEY_TURN_DATAGRAMS: path,
    PARLEY_TURN_USER_ALLOCATIONS: String(USER_QUOTA),
  })
  const many = 1_000_000
  // Every client of the suite comes from one address.
  const limits = {
    ...config.limits,
    strangerRepliesPerSecond: many,
    bindingRepliesPerSecond: many,
    streamsPerAddress: many,
  }
  const server = await startTurn(
    { ...config, limits },
    { log: createLog('turn', { level: 'silent' }), metrics: new Metrics(), health: new Health() },
  )
  const portsOn = (wanted: string) =>
    Object.fromEntries(
      server.listeners
        .filter(({ host }) => host === wanted)
        .map(({ transport, port }) => [transport, port]),
    )
  let users = 0
  return {
    name: 'parley',
    realm: config.realm,
    ports: portsOn('127.0.0.1'),
    ports6: portsOn('::1'),
    hasIpv6: true,
    userQuota: USER_QUOTA,
    // The quota is for its own checks: anybody is somebody new each time.
    login: (user) => restLogin(user === ANYBODY ? `${user}-${users++}` : user, SECRETS.newest),
    restLogin: (username, secret) => signed(username, SECRETS[secret]),
    stop: async () => {
      await server.close()
      certificates.remove()
    },
  }
}
