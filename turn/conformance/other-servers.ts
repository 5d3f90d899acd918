import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CertificateFolder } from '../scenarios/certificates.ts'
import { openCarrier } from './carrier.ts'
import { restLogin, signed } from './rest-login.ts'
import { build, method } from './stun-bytes.ts'
import type { Subject } from './trial.ts'
import { ANYBODY } from './trial.ts'

const COTURN = { plain: 3_980, tls: 3_981 }
const NODE_TURN_PORT = 3_985
const REALM = 'parley'
const SECRETS = { newest: 'the newest secret', older: 'an older secret', unknown: 'a guess' }
const USER_QUOTA = 4

/** coturn as deployed for expiring credentials, with loopback peers allowed for the test. */
export async function startCoturn(): Promise<Subject> {
  const certificates = new CertificateFolder()
  certificates.make('turn')
  const hosts = ['127.0.0.1', '::1'].flatMap((host) => ['-L', host, '-E', host])
  const secrets = [SECRETS.newest, SECRETS.older]
  const stop = run('turnserver', [
    ...['-n', '-r', REALM, '--use-auth-secret', ...hosts, '-m', '1'],
    ...secrets.flatMap((secret) => ['--static-auth-secret', secret]),
    ...['-p', String(COTURN.plain), '--tls-listening-port', String(COTURN.tls)],
    ...['--cert', certificates.file('turn.crt'), '--pkey', certificates.file('turn.key')],
    ...['--user-quota', String(USER_QUOTA), '--allow-loopback-peers', '--no-cli'],
    ...['--no-dtls', '--no-software-attribute', '--no-rfc5780'],
    ...['--denied-peer-ip', '169.254.0.0-169.254.255.255'],
    ...['--log-file', '/dev/null', '--pidfile', '/dev/null'],
  ])
  await untilAnswered(COTURN.plain)
  let users = 0
  const ports = { udp: COTURN.plain, tcp: COTURN.plain, tls: COTURN.tls }
  return {
    name: 'coturn',
    realm: REALM,
    ports,
    ports6: ports,
    hasIpv6: true,
    userQuota: USER_QUOTA,
    login: (user) => restLogin(user === ANYBODY ? `${user}-${users++}` : user, SECRETS.newest),
    restLogin: (username, secret) => signed(username, SECRETS[secret]),
    stop: async () => {
      await stop()
      certificates.remove()
    },
  }
}

/** node-turn, which has one user here. */
export async function startNodeTurn(): Promise<Subject> {
  const login = { username: 'alice', password: 'a password' }
  const script = fileURLToPath(new URL('../bench/servers/node-turn.mjs', import.meta.url))
  const args = [script, String(NODE_TURN_PORT), login.username, login.password]
  const stop = run(process.execPath, args)
  await untilAnswered(NODE_TURN_PORT)
  return {
    name: 'node-turn',
    realm: REALM,
    ports: { udp: NODE_TURN_PORT },
    hasIpv6: false,
    login: (user) => (user === ANYBODY ? login : undefined),
    stop,
  }
}

function run(command: string, args: readonly string[]): () => Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore' })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  return () =>
    new Promise((resolve) => {
      process.off('exit', kill)
      child.once('exit', () => {
        resolve()
      })
      if (child.exitCode !== null || !kill()) resolve()
    })
}

/** Waits until a Binding request is answered. */
async function untilAnswered(port: number): Promise<void> {
  const carrier = await openCarrier('udp', port)
  const asking = setInterval(() => {
    carrier.send(build({ type: method.binding }))
  }, 50)
  try {
    await carrier.next()
  } finally {
    clearInterval(asking)
    carrier.close()
  }
}
