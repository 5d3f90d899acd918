import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Health, Metrics, createLog } from '@parley/service'
import { readTurnConfig, startTurn } from '@parley/turn'
import type { Family } from '@parley/turn/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RunningProgram, freePort, root } from './program.ts'
import { TurnClient, relayedAddress } from './turn-client.ts'

const secret = 'a secret that both sides know'
const start = join(root, 'deploy/coturn/start.sh')

/** First and last addresses of what a relay must refuse, and a few that attackers ask for. */
const refusedPeers = [
  ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255'],
  ...['127.0.0.1', '127.255.255.255', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
  ...['172.16.0.0', '172.31.255.255', '192.0.0.0', '192.0.0.255', '192.0.2.0', '192.0.2.255'],
  ...['192.88.99.0', '192.88.99.255', '192.168.0.0', '192.168.255.255'],
  ...['198.18.0.0', '198.19.255.255', '198.51.100.0', '198.51.100.255'],
  ...['203.0.113.0', '203.0.113.255', '224.0.0.1', '239.255.255.255', '240.0.0.1'],
  '255.255.255.255',
]
const refusedPeers6 = [
  ...['::', '::1', '::a00:1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:169.254.169.254'],
  ...['64:ff9b::a00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:0:ffff:ffff::1'],
  ...['2001:db8::1', '2002:a00:1::1', 'fc00::1', 'fdff:ffff::1', 'fe80::1', 'febf:ffff::1'],
  ...['fec0::1', 'feff:ffff::1', 'ff02::1', 'ffff::1'],
]
const publicPeers = ['1.1.1.1', '9.255.255.255', '11.0.0.0', '172.32.0.0', '223.255.255.255']
const publicPeers6 = ['2001:1::1', '2003::1', '2606:4700:4700::1111', 'fbff::1']

let folder: string
const started: { stop: () => unknown }[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-coturn-test-'))
})

afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('coturn with deploy/coturn', () => {
  test('takes the credentials that signaling hands out', async () => {
    const client = await connect(await startCoturn({ PARLEY_TURN_SECRET: secret }))
    expect(relayedAddress(await client.allocate())).toMatchObject({ host: '127.0.0.1' })
  })

  test('takes the credentials of each secret while secrets are being replaced', async () => {
    const port = await startCoturn({ PARLEY_TURN_SECRET: `the next secret, ${secret}` })
    for (const one of ['the next secret', secret]) {
      const client = await connect(port, { secret: one })
      expect((await client.allocate()).code).toBe(0)
    }
  })

  test('refuses a wrong password and an expired user name', async () => {
    const port = await startCoturn({ PARLEY_TURN_SECRET: secret })
    const wrong = await connect(port, { secret: 'another secret' })
    expect((await wrong.allocate()).code).toBe(401)
    const expired = await connect(port, { mintedAt: Date.now() - 7_200_000 })
    expect((await expired.allocate()).code).toBe(401)
  })

  test('refuses everybody as long as it has no secret', async () => {
    copyFileSync(join(root, 'deploy/coturn/turnserver.conf'), join(folder, 'turnserver.conf'))
    const port = await freePort()
    const own = ['-c', join(folder, 'turnserver.conf'), '--relay-ip=127.0.0.1']
    const files = [`--userdb=${join(folder, 'none.sqlite')}`, `--pidfile=${join(folder, 'pid')}`]
    await run('turnserver', [...own, ...files, ...listenOn(port)], {})
    const client = await connect(port)
    expect((await client.allocate()).code).toBe(401)
  })

  test('reads the secret from a file', async () => {
    const file = join(folder, 'secret')
    writeFileSync(file, `${secret}\n`)
    const client = await connect(await startCoturn({ PARLEY_TURN_SECRET_FILE: file }))
    expect((await client.allocate()).code).toBe(0)
  })

  test('refuses the peers that our own server refuses, and no public ones', async () => {
    const { ours, coturn } = await connectToBoth(4)
    const expected = { ...allWith(403, refusedPeers), ...allWith(0, publicPeers) }
    expect(await ours.permissionsFor(Object.keys(expected))).toEqual(expected)
    expect(await coturn.permissionsFor(Object.keys(expected))).toEqual(expected)
  })

  test('does so for IPv6, where the machine has it', async () => {
    if (!hasIpv6()) {
      const client = await connect(await startCoturn({ PARLEY_TURN_SECRET: secret }))
      expect((await client.allocate(6)).code).toBe(440)
      return
    }
    const { ours, coturn } = await connectToBoth(6)
    const expected = { ...allWith(403, refusedPeers6), ...allWith(0, publicPeers6) }
    expect(await ours.permissionsFor(Object.keys(expected))).toEqual(expected)
    expect(await coturn.permissionsFor(Object.keys(expected))).toEqual(expected)
  })

  test('reaches the SFU at an address that is allowed', async () => {
    const env = { PARLEY_TURN_SECRET: secret, PARLEY_TURN_ALLOW_PEERS: '10.0.0.9, 192.168.7.7' }
    const client = await connect(await startCoturn(env))
    expect((await client.allocate()).code).toBe(0)
    expect(await client.permissionsFor(['10.0.0.8', '10.0.0.9', '192.168.7.7'])).toEqual({
      '10.0.0.8': 403,
      '10.0.0.9': 0,
      '192.168.7.7': 0,
    })
  })

  test('announces the public address and uses the ports and the realm of the environment', async () => {
    const client = await connect(
      await startCoturn({
        PARLEY_TURN_SECRET: secret,
        PARLEY_PUBLIC_ADDRESS: '198.51.100.7',
        PARLEY_TURN_PORTS: '51000-51009',
        PARLEY_TURN_REALM: 'calls.example.org',
      }),
    )
    const address = relayedAddress(await client.allocate())
    expect(address?.host).toBe('198.51.100.7')
    expect(address?.port).toBeGreaterThanOrEqual(51_000)
    expect(address?.port).toBeLessThanOrEqual(51_009)
    expect(client.realm).toBe('calls.example.org')
  })

  test.each([
    ['no secret', {}, 'PARLEY_TURN_SECRET is not set'],
    ['a missing file', { PARLEY_TURN_SECRET_FILE: '/missing' }, 'PARLEY_TURN_SECRET_FILE=/missing'],
    [
      'odd ports',
      { PARLEY_TURN_SECRET: secret, PARLEY_TURN_PORTS: 'all' },
      'PARLEY_TURN_PORTS=all',
    ],
    ['a range', { PARLEY_TURN_SECRET: secret, PARLEY_TURN_ALLOW_PEERS: '10.0.0.0/8' }, 'no CIDR'],
    [
      'a key that is not there',
      { PARLEY_TURN_SECRET: secret, PARLEY_TURN_TLS_CERT: start },
      'KEY=',
    ],
  ])('does not start with %s, and says so', async (_what, env, words) => {
    const program = new RunningProgram(start, [], { TMPDIR: folder, ...env })
    expect(await program.ended()).toBe(2)
    expect(program.output).toContain(words)
  })
})

/** Starts coturn on a free port of loopback, as an operator would, and gives back the port. */
async function startCoturn(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<number> {
  const port = await freePort()
  const around = { TMPDIR: folder, PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1' }
  await run(start, [...listenOn(port), ...args], { ...around, ...env })
  return port
}

async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const program = new RunningProgram(command, args, env)
  started.push(program)
  // The last line before it serves.
  await program.printed(/Total General servers: \d/)
}

function listenOn(port: number): readonly string[] {
  return ['--listening-ip=127.0.0.1', `--listening-port=${port}`]
}

/** Clients of our own server and of coturn, each with a relay of that family. */
async function connectToBoth(family: Family) {
  const relay = family === 4 ? '127.0.0.1' : '::1'
  const ours = await connect(await startOurs(relay))
  const args = family === 4 ? [] : [`--relay-ip=${relay}`]
  const coturn = await connect(await startCoturn({ PARLEY_TURN_SECRET: secret }, args))
  for (const client of [ours, coturn]) expect((await client.allocate(family)).code).toBe(0)
  return { ours, coturn }
}

async function startOurs(relay: string): Promise<number> {
  const config = readTurnConfig({
    PARLEY_TURN_LISTEN: 'udp://127.0.0.1:0',
    PARLEY_TURN_SECRET: secret,
    PARLEY_TURN_RELAY_ADDRESS: relay,
    // Where a relay is announced, another one may be; that must not be one of the refused.
    PARLEY_TURN_EXTERNAL_ADDRESS: relay === '::1' ? '2620:fe::fe' : '9.9.9.9',
  })
  const log = createLog('turn', { level: 'silent' })
  const turn = await startTurn(config, { log, metrics: new Metrics(), health: new Health() })
  started.push({ stop: () => turn.close() })
  return turn.listeners[0]?.port ?? 0
}

function hasIpv6(): boolean {
  const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return interfaces.some(({ address }) => address === '::1')
}

function allWith(code: number, peers: readonly string[]): Record<string, number> {
  return Object.fromEntries(peers.map((peer) => [peer, code]))
}

async function connect(
  port: number,
  { secret: signedWith = secret, mintedAt }: { secret?: string; mintedAt?: number } = {},
): Promise<TurnClient> {
  const client = await TurnClient.open(port, {
    secret: signedWith,
    ...(mintedAt !== undefined && { mintedAt }),
  })
  started.push({
    stop: () => {
      client.close()
    },
  })
  return client
}
