import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { raiseStage } from './stage.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** A node that runs alone, on any free ports. */
const settings = {
  PARLEY_SFU_LISTEN: '127.0.0.1',
  PARLEY_SFU_PORT: '0',
  PARLEY_SFU_WORKERS: '1',
  PARLEY_SFU_CONTROL: '127.0.0.1:0',
  PARLEY_SFU_SECRET: 'a-secret-of-the-control-link',
  PARLEY_PUBLIC_ADDRESS: '127.0.0.1',
}

test('the process starts, and ends cleanly when it is told to', async () => {
  const node = run(settings)
  await node.says('control link open')
  node.process.kill('SIGTERM')
  expect(await node.ended).toBe(0)
  expect(node.output()).toContain('"msg":"stopped"')
})

test('a missing worker is explained, with what to do', async () => {
  const node = run({ ...settings, MEDIASOUP_WORKER_BIN: '/nowhere/mediasoup-worker' })
  expect(await node.ended).toBe(2)
  expect(node.output()).toContain('The media worker is missing. Run `npm run setup`')
})

test('a port in use is named with the key to change', async () => {
  const squatter = createSocket('udp4')
  await new Promise<void>((resolve) => squatter.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    squatter.close()
  })
  const { port } = squatter.address()
  const node = run({ ...settings, PARLEY_SFU_PORT: String(port) })
  expect(await node.ended).toBe(2)
  expect(node.output()).toContain(`Port ${port} on 127.0.0.1 is already in use`)
  expect(node.output()).toContain('PARLEY_SFU_PORT')
})

test('an address that is not ours is named with the key to change', async () => {
  const node = run({ ...settings, PARLEY_SFU_LISTEN: '192.0.2.1' })
  expect(await node.ended).toBe(2)
  expect(node.output()).toContain('192.0.2.1 is not an address of this machine')
})

test('a node without the secret of the control link does not start', async () => {
  const node = run({ ...settings, PARLEY_SFU_SECRET: '' })
  expect(await node.ended).toBe(2)
  expect(node.output()).toContain('PARLEY_SFU_SECRET is not set')
})

test('workers do not end themselves when the process is asked to stop', async () => {
  const before = process.listeners('SIGTERM')
  await raiseStage({ workers: 2 })
  expect(process.listeners('SIGTERM')).toEqual(before)
})

function run(env: Readonly<Record<string, string>>) {
  const child: ChildProcess = spawn(process.execPath, [main], { env: { ...env } })
  let output = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      for (const look of listeners) look()
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    process: child,
    ended,
    output: () => output,
    says: (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (output.includes(text)) resolve()
        }
        listeners.add(look)
        look()
      }),
  }
}
