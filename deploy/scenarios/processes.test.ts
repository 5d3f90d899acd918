import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RunningProgram, freePort } from './program.ts'

const started: RunningProgram[] = []
let folder: string

/** One environment for all services, as one file would be. */
const shared = {
  PARLEY_HOST: '127.0.0.1',
  PARLEY_PORT: '0',
  PARLEY_PUBLIC_ADDRESS: '127.0.0.1',
  PARLEY_SECRET: 'the secret of the tokens',
  PARLEY_TURN_SECRET: 'the secret of the relay',
  PARLEY_TURN_LISTEN: 'udp://127.0.0.1:0,tcp://127.0.0.1:0',
  PARLEY_TURN_RELAY_ADDRESS: '127.0.0.1',
  PARLEY_SFU_SECRET: 'the secret of the nodes',
  PARLEY_SFU_LISTEN: '127.0.0.1',
  PARLEY_SFU_PORT: '0',
  PARLEY_SFU_WORKERS: '1',
  PARLEY_SFU_CONTROL: '127.0.0.1:0',
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-processes-'))
})

afterEach(async () => {
  for (const program of started.splice(0)) await program.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('three processes with one environment', () => {
  test('start, find each other, say how they are and stop when asked', async () => {
    const [sfuMetrics, turnMetrics] = [await freePort(), await freePort()]
    const turn = run('turn', { PARLEY_METRICS: `127.0.0.1:${turnMetrics}` })
    const sfu = run('sfu', { PARLEY_METRICS: `127.0.0.1:${sfuMetrics}` })
    const [, control = ''] = await sfu.printed(/"address":"([\d.:]+)","msg":"control link open"/)
    const signaling = run('signaling', { PARLEY_SFU_NODES: control })
    const [, port] = await signaling.printed(/"port":(\d+),.*"msg":"signaling listens"/)

    await signaling.printed(new RegExp(`"node":"${control}","msg":"SFU node connected"`))
    await sfu.printed(/"msg":"controller connected"/)
    await turn.printed(/"transport":"tcp".*"msg":"listening"/)

    await expectHealthy(Number(port), 'parley_signaling_sessions')
    await expectHealthy(sfuMetrics, 'parley_sfu_')
    await expectHealthy(turnMetrics, 'parley_turn_')

    for (const program of [signaling, sfu, turn]) {
      expect(await program.stop()).toBe(0)
      expect(program.output).toContain('"msg":"stopped"')
      expect(program.output).not.toMatch(/"level":"error"|did not stop cleanly|took too long/)
    }
    for (const secret of [shared.PARLEY_SECRET, shared.PARLEY_TURN_SECRET]) {
      expect([signaling, sfu, turn].map(({ output }) => output).join()).not.toContain(secret)
    }
  })

  test('a node whose secret differs is told so, and gets no orders', async () => {
    const sfu = run('sfu', { PARLEY_SFU_SECRET: 'another secret of the nodes' })
    const [, control = ''] = await sfu.printed(/"address":"([\d.:]+)","msg":"control link open"/)
    const signaling = run('signaling', { PARLEY_SFU_NODES: control })
    await sfu.printed(/"msg":"a control link was refused"/)
    expect(await signaling.stop()).toBe(0)
    expect(signaling.output).not.toContain('SFU node connected')
  })
})

describe('a configuration that cannot work ends with exit 2 and words', () => {
  test.each([
    [
      'a bad port',
      'signaling',
      { PARLEY_PORT: '70000' },
      'PARLEY_PORT="70000" is not usable: expected a whole number from 0 to 65535',
    ],
    [
      'a typo in a key',
      'turn',
      { PARLEY_TRUN_SECRET: 'x' },
      'PARLEY_TRUN_SECRET="…" is not usable: expected a known key, did you mean PARLEY_TURN_SECRET?',
    ],
    [
      'no secret for tokens',
      'signaling',
      { PARLEY_SECRET: '' },
      'PARLEY_SECRET= is not usable: expected at least 16 characters, or PARLEY_JWKS_URL',
    ],
    [
      'no secret for the relay',
      'turn',
      { PARLEY_TURN_SECRET: '' },
      'PARLEY_TURN_SECRET is not set',
    ],
    ['no secret for the node', 'sfu', { PARLEY_SFU_SECRET: '' }, 'PARLEY_SFU_SECRET is not set'],
    [
      'a short secret',
      'sfu',
      { PARLEY_SFU_SECRET: 'guessable' },
      'PARLEY_SFU_SECRET=[secret] is not usable: expected at least 16 characters',
    ],
    [
      'a secret file that is not there',
      'signaling',
      { PARLEY_SECRET: '', PARLEY_SECRET_FILE: '/missing/secret' },
      'PARLEY_SECRET_FILE="/missing/secret" is not usable: expected a readable file',
    ],
    [
      'a secret given twice',
      'turn',
      { PARLEY_TURN_SECRET_FILE: '/missing/secret' },
      'PARLEY_TURN_SECRET_FILE="/missing/secret" is not usable: expected only one of',
    ],
  ])('%s', async (_what, part, env, words) => {
    const program = run(part, env)
    expect(await program.ended()).toBe(2)
    expect(program.output).toContain(words)
    expect(program.output).not.toMatch(/^\s+at /m)
  })

  test.each([
    ['signaling', 'PARLEY_PORT', (port: number) => String(port)],
    ['sfu', 'PARLEY_SFU_CONTROL', (port: number) => `127.0.0.1:${port}`],
    ['sfu', 'PARLEY_SFU_PORT', (port: number) => String(port)],
    ['turn', 'PARLEY_TURN_LISTEN', (port: number) => `tcp://127.0.0.1:${port}`],
    ['turn', 'PARLEY_METRICS', (port: number) => `127.0.0.1:${port}`],
  ])('a port of %s in use (%s)', async (part, key, value) => {
    const port = await freePort()
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve))
    const program = run(part, { [key]: value(port) })
    expect(await program.ended()).toBe(2)
    expect(program.output).toMatch(new RegExp(`${port}.* is already in use`))
    expect(program.output).toContain(key)
    holder.close()
  })

  test('a TLS key that does not match its certificate', async () => {
    const [, cert] = makeCertificate('one')
    const [key] = makeCertificate('two')
    const program = run('turn', {
      PARLEY_TURN_LISTEN: 'tls://127.0.0.1:0',
      PARLEY_TURN_TLS_CERT: cert,
      PARLEY_TURN_TLS_KEY: key,
    })
    expect(await program.ended()).toBe(2)
    expect(program.output).toContain(
      'The key in PARLEY_TURN_TLS_KEY does not belong to the certificate in PARLEY_TURN_TLS_CERT',
    )
    expect(program.output).not.toMatch(/^\s+at /m)
  })
})

/** Starts a service as its unit and its image do. */
function run(part: string, env: Readonly<Record<string, string>> = {}): RunningProgram {
  const program = new RunningProgram('node', [`${part}/src/main.ts`], { ...shared, ...env })
  started.push(program)
  return program
}

async function expectHealthy(port: number, metric: string): Promise<void> {
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  expect((await ask('/healthz')).status).toBe(200)
  const ready = await ask('/readyz')
  expect(await ready.json()).toEqual({ status: 'ready', obstacles: {} })
  const metrics = await (await ask('/metrics')).text()
  expect(metrics).toContain(metric)
  expect(metrics).toContain('process_cpu_seconds_total')
}

/** A fresh key and a certificate for it: their files. */
function makeCertificate(name: string): readonly [key: string, cert: string] {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
  const subject = ['-subj', `/CN=${name}.example.org`, '-days', '1']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const files = ['-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'ignore' })
  chmodSync(key, 0o600)
  return [key, cert]
}
