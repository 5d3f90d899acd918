import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mintCredentials } from '../src/credentials.ts'
import { batchedUdp } from '../src/io/batched-udp.ts'
import type { Contender } from './contender.ts'

const COTURN_PORT = 3990
const NODE_TURN_PORT = 3991

/** Everything that can be measured here, and what is missing with the reason. */
export function contenders({
  forwarder,
  env,
}: {
  readonly forwarder: string
  readonly env: NodeJS.ProcessEnv
}): { readonly present: readonly Contender[]; readonly missing: readonly string[] } {
  const secret = randomBytes(16).toString('hex')
  const login = mintCredentials({ user: 'bench', secret, lifetimeSeconds: 86_400 }, Date.now())
  const plain = { username: 'bench', password: secret }
  const node = process.execPath
  const script = (file: string) => fileURLToPath(new URL(`servers/${file}`, import.meta.url))
  const missing: string[] = []
  const present: Contender[] = [
    { name: 'parley pure', command: node, args: [script('own.ts'), 'pure', secret], login },
  ]
  if (batchedUdp()) {
    const args = [script('own.ts'), 'batched', secret]
    present.push({ name: 'parley batched', command: node, args, login })
  } else {
    missing.push('parley batched: its add-on is not built')
  }
  const coturn = findCommand('turnserver', env)
  if (coturn === undefined) missing.push('coturn: turnserver is not installed')
  else {
    const args = coturnArgs(plain, COTURN_PORT)
    present.push({ name: 'coturn', command: coturn, args, login: plain, port: COTURN_PORT })
  }
  if (isInstalled('node-turn')) {
    const args = [script('node-turn.mjs'), String(NODE_TURN_PORT), plain.username, plain.password]
    present.push({ name: 'node-turn', command: node, args, login: plain, port: NODE_TURN_PORT })
  } else {
    missing.push('node-turn: the package is not installed')
  }
  const bare = { login: undefined }
  present.push(
    { ...bare, name: 'bare dgram', command: node, args: [script('bare-dgram.ts')] },
    { ...bare, name: 'bare C', command: forwarder, args: ['single'] },
    { ...bare, name: 'bare C batched', command: forwarder, args: ['batches'] },
  )
  return { present, missing }
}

/** coturn with one relay thread, as ours has one, on loopback, with nothing written anywhere. */
export function coturnArgs(
  { username, password }: { readonly username: string; readonly password: string },
  port: number,
): string[] {
  return [
    ...['-n', '--lt-cred-mech', '-r', 'parley', '-u', `${username}:${password}`],
    ...['-L', '127.0.0.1', '-E', '127.0.0.1', '-p', String(port), '-m', '1'],
    ...['--min-port', '20000', '--max-port', '31999', '--allow-loopback-peers', '--no-cli'],
    ...['--no-tls', '--no-dtls', '--no-tcp', '--log-file', '/dev/null', '--pidfile', '/dev/null'],
    ...['--no-software-attribute', '--no-rfc5780', '--no-stun-backward-compatibility'],
  ]
}

/** The full path of a command, or `undefined`. */
export function findCommand(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
}

/** Whether a package can be loaded. */
export function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}
