import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ownStackEnvironment } from '../src/config.ts'
import { OwnStack } from '../src/own-stack.ts'
import type { Report } from '../src/report.ts'

/** A machine that is busy with other tests makes a run late, not wrong. */
const PATIENT = ['--max-loss', '100%', '--max-gap', '1m', '--max-loop-delay', '1m']
const TIMEOUT_MS = 120_000

const secret = 'a secret that only this test and its Parley know'

test(
  'four people in a room hear the tones that the others send, and the run passes',
  async () => {
    const env = { ...process.env, PARLEY_SECRET: secret }
    const stack = await OwnStack.start(ownStackEnvironment(env))
    try {
      const args = ['group', '--url', stack.url.href, '--duration', '3s', '--json', ...PATIENT]
      const { code, report } = await loadtest(args, env)
      expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
      expect(code).toBe(0)
      expect(report.verdict).toBe('passed')
      expect(report.streams.map(({ kind }) => kind).toSorted()).toEqual([
        ...Array<string>(12).fill('audio'),
        ...Array<string>(12).fill('video'),
      ])
      for (const stream of report.streams) expect(stream.figures.packets).toBeGreaterThan(0)
    } finally {
      await stack.stop()
    }
  },
  TIMEOUT_MS,
)

test(
  'when everybody sends silence the run fails, and says that it is the tone',
  async () => {
    const args = ['group', '--start', '--silence', '--no-video', '--duration', '2s', '--json']
    const { code, report } = await loadtest([...args, ...PATIENT])
    expect(code).toBe(1)
    expect(report.verdict).toBe('failed')
    expect(report.checks.filter(({ ok }) => !ok)).toMatchObject([
      { name: 'tone', detail: expect.stringMatching(/^12 of 12 audio streams.*silence/) as string },
    ])
  },
  TIMEOUT_MS,
)

async function loadtest(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const main = join(import.meta.dirname, '..', 'src', 'main.ts')
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (out === '') throw new Error(err)
  return { code, report: JSON.parse(out) as Report }
}
